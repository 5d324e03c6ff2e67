// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import EventLoop

/// What a server knows of those who come. Its streams ask it, and hold it weakly.
@LoopActor
public protocol ServerAuthority: AnyObject {
  /// What is kept of the password of an account; nil where there is no such account. Whoever tries one gets the same
  /// answers after the same time.
  /// - Parameter localpart: prepared (RFC 6122).
  func credentials(for localpart: String) -> StoredCredentials?
  /// The address of a new session (RFC 6120 §7). Where it is that of another session, which goes on no longer: it is
  /// ended with `<conflict/>` before the new one begins.
  /// - Parameter wanted: the resource that the client asks for, prepared; nil where it leaves that to the server.
  func bind(_ account: BareJID, wanted: String?) -> FullJID
  /// The secret that a component of that domain must know (XEP-0114); nil where there is none of that domain.
  func componentSecret(for domain: String) -> String?
}

extension ServerAuthority {
  /// The resource that is wanted, or one that nobody can guess.
  public func bind(_ account: BareJID, wanted: String?) -> FullJID {
    let random = Hex.encode(secureRandom(16))
    if let wanted, let jid = try? account.with(resource: wanted) { return jid }
    // Hexadecimal digits are the same in every prepared form.
    return (try? account.with(resource: random)) ?? FullJID(address: account.address)
  }

  /// No components.
  public func componentSecret(for domain: String) -> String? { nil }
}
