// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import DBusInterfaces
internal import EventLoop

/// The one place that says who hears a signal on a bus that several people use.
@LoopActor
final class InterestPolicy: SignalPolicy {
  private static let interfaces = [
    ConnectionSkeleton.interface.name, DecloakSkeleton.interface.name, VisibilitySkeleton.interface.name,
    StanzasSkeleton.interface.name,
  ]

  var interests = Interests()
  private let accounts: AccountTree

  init(_ accounts: AccountTree) { self.accounts = accounts }

  func add(_ tokens: [String], _ caller: Caller) throws(DBusError) {
    try check(tokens)
    guard !tokens.isEmpty else { return }
    guard interests.hasRoom(for: caller.name, uid: caller.uid) else {
      throw DBusError(
        .limitsExceeded, "\(Interests.mostClientsPerUID) clients of one user are the most that can be interested.")
    }
    interests.add(tokens, for: caller.name, uid: caller.uid)
  }

  func remove(_ tokens: [String], _ caller: Caller) throws(DBusError) {
    try check(tokens)
    interests.remove(tokens, for: caller.name)
  }

  private func check(_ tokens: [String]) throws(DBusError) {
    for token in tokens where token != Interests.everything && !Self.interfaces.contains(token) {
      throw DBusError(
        .invalidArgs,
        "\"\(token)\" is no token of interest: use \"*\" or one of \(Self.interfaces.joined(separator: ", ")).")
    }
  }

  // MARK: SignalPolicy

  func recipients(of signal: SignalContext) -> SignalRecipients {
    let subtree = signal.object.text.split(separator: "/").dropLast()
    guard let uid = subtree.last.flatMap({ UInt32($0.dropFirst()) }) else { return .only([]) }
    return .only(
      interests.recipients(
        signal.concerns, path: signal.object.text, subtree: ObjectPaths.subtree(uid), owner: uid))
  }

  func wasRead(_ path: ObjectPath, subtree: Bool, by caller: Caller) {
    let isOwn = subtree ? path.text == ObjectPaths.subtree(caller.uid) : accounts.owner(of: path) == caller.uid
    guard isOwn, interests.hasRoom(for: caller.name, uid: caller.uid) else { return }
    interests.add(path: path.text, for: caller.name, uid: caller.uid)
  }
}
