// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import XMPP

/// Who may log in to the embedded server.
@LoopActor
final class Directory: ServerAuthority {
  /// Asked for whoever is not known.
  var newcomer: @LoopActor (String) -> LoopbackUser? = { _ in nil }

  private var passwords: [String: String]
  private let secrets: [String: String]
  /// Hashing takes milliseconds, and a thousand accounts of a test mostly have one password between them.
  private var known: [String: StoredCredentials] = [:]

  init(_ configuration: LoopbackConfiguration) {
    passwords = Dictionary(
      configuration.users.compactMap { user in user.jid.localpart.map { ($0, user.password) } },
      uniquingKeysWith: { first, _ in first })
    secrets = Dictionary(
      configuration.components.map { ($0.domain, $0.secret) }, uniquingKeysWith: { first, _ in first })
  }

  func credentials(for localpart: String) -> StoredCredentials? {
    guard let password = passwords[localpart] ?? newcomer(localpart)?.password else { return nil }
    passwords[localpart] = password
    if let credentials = known[password] { return credentials }
    let credentials = StoredCredentials(password: password)
    known[password] = credentials
    return credentials
  }

  func componentSecret(for domain: String) -> String? { secrets[domain] }
}
