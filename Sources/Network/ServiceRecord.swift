// SPDX-License-Identifier: Apache-2.0

/// Where a service of a domain is, as an SRV record tells it (RFC 2782).
struct ServiceRecord: Hashable, Sendable {
  /// The host's name; empty where the record says that there is no such service.
  let host: String
  let port: UInt16
  /// Lower ones come first.
  let priority: UInt16
  /// How often it comes first among those of its priority.
  let weight: UInt16

  /// That there is no such service.
  var saysThatThereIsNone: Bool { host.isEmpty }

  /// What came over the network; nil where it is no name that a host can have. It ends up in logs and error texts.
  init?(host: String, port: UInt16, priority: UInt16, weight: UInt16) {
    let host = host.utf8.last == UInt8(ascii: ".") ? String(host.dropLast()) : host
    guard host.isEmpty || HostName.isValid(host) else { return nil }
    self.host = host
    self.port = port
    self.priority = priority
    self.weight = weight
  }
}

/// A service that a domain may offer to clients.
enum Service: Hashable, Sendable, CaseIterable {
  /// XMPP with STARTTLS (RFC 6120 §3.2.1).
  case startTLS
  /// XMPP over TLS (XEP-0368).
  case directTLS

  /// The name that is asked about.
  func name(of domain: String) -> String {
    switch self {
    case .startTLS: "_xmpp-client._tcp.\(domain)"
    case .directTLS: "_xmpps-client._tcp.\(domain)"
    }
  }

  /// The port where there is no record.
  var defaultPort: UInt16 { self == .directTLS ? 5223 : 5222 }
}

/// The names of hosts.
enum HostName {
  /// Whether DNS can be asked about it: letters, digits, hyphens and underscores, in labels.
  static func isValid(_ name: String) -> Bool {
    guard (1...253).contains(name.utf8.count) else { return false }
    return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.count)
        && label.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
          case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
          default: false
          }
        }
    }
  }

  /// Whether it is this machine, whatever anybody says (RFC 6761 §6.3).
  static func isThisMachine(_ name: String) -> Bool {
    let name = name.lowercased()
    return name == "localhost" || name.hasSuffix(".localhost")
  }
}
