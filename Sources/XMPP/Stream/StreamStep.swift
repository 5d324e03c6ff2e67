// SPDX-License-Identifier: Apache-2.0

/// What a stream is doing on its way to being bound. The description is for people.
public enum StreamStep: Hashable, Sendable, CustomStringConvertible {
  /// Looking for the server of a domain.
  case lookingUp(String)
  /// Making a connection to an address, by the name that it was found under.
  case connecting(String, address: String)
  /// Making TLS.
  case securing
  /// Proving who we are, by this mechanism (RFC 6120 §6).
  case authenticating(String)
  /// Going on with the session of an earlier stream (XEP-0198 §5).
  case resuming
  /// Getting an address (RFC 6120 §7).
  case binding

  /// A phrase for people, as "securing the connection".
  public var description: String {
    switch self {
    case .lookingUp(let domain): "looking for the server of \(domain)"
    case .connecting(let name, let address): "connecting to \(name) (\(address))"
    case .securing: "securing the connection"
    case .authenticating(let mechanism): "logging in by \(mechanism)"
    case .resuming: "going on with the session"
    case .binding: "getting an address"
    }
  }
}
