// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import LoopbackServer
internal import XMPP

/// Who may log in, as the file of users says: it is read again for somebody who is not in it yet, so that a line that is
/// added makes an account.
struct AccountsFile {
  private let path: String
  private let domain: String
  private var state: stat
  private var byName: [String: LoopbackUser]

  /// Who is in it, in no order.
  var users: [LoopbackUser] { Array(byName.values) }

  /// Reads it. Blocks.
  /// - Throws: ``Complaint``.
  init(_ path: String, domain: String) throws(Complaint) {
    (self.path, self.domain) = (path, domain)
    state = Self.state(of: path)
    byName = try Self.read(path, domain)
  }

  /// Somebody who may have come into the file since it was last read. It is read again when it has changed, which takes
  /// milliseconds, and stays as it was while it cannot be understood.
  mutating func newcomer(_ localpart: String) -> LoopbackUser? {
    let now = Self.state(of: path)
    // The standard input cannot be read twice.
    if path != "-", !Self.isSame(now, state) {
      state = now
      do throws(Complaint) {
        byName = try Self.read(path, domain)
      } catch {
        Program.tell("\(error): accounts stay as they were")
      }
    }
    return byName[localpart]
  }

  private static func read(_ path: String, _ domain: String) throws(Complaint) -> [String: LoopbackUser] {
    var users: [String: LoopbackUser] = [:]
    for (name, password) in try SecretsFile(path: path).secrets {
      let address = name.contains("@") ? name : "\(name)@\(domain)"
      guard let jid = try? BareJID(address), let localpart = jid.localpart, jid.domain == domain else {
        throw Complaint("\"\(name)\" in \(path) is no address of \(domain)")
      }
      users[localpart] = LoopbackUser(jid, password: password)
    }
    return users
  }

  private static func state(of path: String) -> stat {
    var state = stat()
    _ = stat(path, &state)
    return state
  }

  private static func isSame(_ one: stat, _ other: stat) -> Bool {
    one.st_ino == other.st_ino && one.st_size == other.st_size && one.st_mtim.tv_sec == other.st_mtim.tv_sec
      && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec
  }
}
