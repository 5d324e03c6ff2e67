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
