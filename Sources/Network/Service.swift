// SPDX-License-Identifier: Apache-2.0

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
