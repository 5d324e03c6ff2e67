// SPDX-License-Identifier: Apache-2.0

/// Whose certificate is expected.
enum PeerName: Equatable {
  /// A domain, in ASCII and lower case.
  case domain([UInt8])
  /// A numeric address.
  case address(String)

  /// `nil` for what no certificate can be for: nothing, a name with a NUL in it, a wildcard. An A-label is needed
  /// where there are letters beyond ASCII.
  init?(_ name: String) {
    if SocketAddress(name, port: 0) != nil {
      self = .address(name)
      return
    }
    let bytes = asciiLowercase(name.utf8)
    let isHostName = bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isHostName, !bytes.isEmpty, bytes.first != UInt8(ascii: "."), bytes.count <= 253 else { return nil }
    self = .domain(bytes)
  }

  var description: String {
    switch self {
    case .domain(let name): String(decoding: name, as: UTF8.self)
    case .address(let address): address
    }
  }
}

/// The names that a server's certificate is for, as they stand in it: bytes, since anything can stand there, and some
/// letters that are not ASCII are equal to such that are.
struct CertificateNames: Equatable {
  /// DNS-IDs (RFC 6125 §1.8).
  var domains: [[UInt8]] = []
  /// SRV-IDs, a service and a domain (RFC 4985).
  var services: [[UInt8]] = []
  /// The last of the subject's common names.
  var commonName: [UInt8]?
  /// There are names of another kind, or such that cannot be read.
  var hasOthers = false

  /// The service that we are a client of. XEP-0368 has the same rules, and the same name, where TLS comes first.
  private static let service = Array("_xmpp-client.".utf8)

  /// Whether the certificate is for `domain`, in ASCII and lower case (RFC 6120 §13.7.2.1, RFC 6125 §6).
  /// - Parameter onlyByDomain: whether nothing but DNS-IDs counts.
  func name(_ domain: [UInt8], onlyByDomain: Bool = false) -> Bool {
    if domains.contains(where: { Self.matches($0, domain) }) { return true }
    if onlyByDomain { return false }
    if services.contains(where: { Self.matchesService($0, domain) }) { return true }
    // From before there were better names; where there is one of them, the subject is mere text (RFC 6125 §6.4.4).
    guard domains.isEmpty, services.isEmpty, !hasOthers, let commonName else { return false }
    return Self.matches(commonName, domain)
  }

  private static func matchesService(_ presented: [UInt8], _ domain: [UInt8]) -> Bool {
    let presented = asciiLowercase(presented)
    return presented.starts(with: service) && matches(Array(presented.dropFirst(service.count)), domain)
  }

  /// Compares a name, of which the first label may be a wildcard: it stands for one label, as a whole, and not above
  /// the domains that anybody can have.
  private static func matches(_ presented: [UInt8], _ domain: [UInt8]) -> Bool {
    let presented = asciiLowercase(presented)
    if presented == domain { return true }
    let parent = presented.dropFirst()
    guard presented.first == UInt8(ascii: "*"), parent.first == UInt8(ascii: "."),
      parent.dropFirst().contains(UInt8(ascii: ".")), let end = domain.firstIndex(of: UInt8(ascii: ".")), end > 0
    else { return false }
    return domain[end...] == parent
  }

  /// What it is for, for people: a few names, and of each what may stand in a line of text.
  var description: [String] {
    let all = domains + services + (domains.isEmpty && services.isEmpty ? commonName.map { [$0] } ?? [] : [])
    return all.prefix(5).map { name in
      let printable = name.prefix(100).map { 0x21...0x7e ~= $0 ? $0 : UInt8(ascii: "?") }
      return String(decoding: printable, as: UTF8.self)
    } + (all.count > 5 ? ["\(all.count - 5) more"] : [])
  }
}

/// Lower case for the letters of ASCII, and nothing else.
func asciiLowercase(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  bytes.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
}
