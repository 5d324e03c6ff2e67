// SPDX-License-Identifier: Apache-2.0

/// Who may know that an account is online: what a scenario says of it, kept apart from the program's own idea.
public struct Model: Sendable {
  /// What is known of one of our accounts.
  public struct Account: Sendable {
    /// Whether it shows itself to those who have a subscription to its presence.
    public var isVisible = false
    /// Bare JIDs that have a subscription to its presence.
    public var subscribers: Set<String> = []
    /// Bare JIDs that it blocks.
    public var blocked: Set<String> = []
    /// Full or bare JIDs that it has shown itself to for a while.
    public var sessions: Set<String> = []
    /// Whether those are also told show, status and the like.
    public var tellsStatus = false

    /// Nobody may know.
    public init() {}

    /// Whether `who`, a full JID, may know.
    func mayKnow(_ who: String) -> Bool {
      if blocked.contains(bareJID(who)) { return false }
      if sessions.contains(who) || sessions.contains(bareJID(who)) { return true }
      return isVisible && subscribers.contains(bareJID(who))
    }
  }

  /// Our accounts by bare JID.
  public var accounts: [String: Account] = [:]

  /// Whether `who`, a full JID, may know that `account` is online.
  public func mayKnow(_ who: String, about account: String) -> Bool {
    bareJID(who) == account || accounts[account]?.mayKnow(who) == true
  }

  /// Why a stanza that `recorder` received must not have reached it; nil when it may.
  ///
  /// What the server says itself in place of an account without a session is no leak: the errors that everybody gets.
  /// - Parameter earlier: the model before this step. Who could see then is owed an unavailable.
  func objection(to stanza: Node, at recorder: String, asked: String, earlier: Model) -> String? {
    guard let from = stanza["from"], accounts[bareJID(from)] != nil else { return nil }
    let account = bareJID(from)
    let known = mayKnow(recorder, about: account)
    let wasKnown = earlier.mayKnow(recorder, about: account)
    let byBroadcast =
      accounts[account].map { $0.isVisible && $0.subscribers.contains(bareJID(recorder)) } ?? false
    if known || wasKnown {
      let told = ["show", "status", "priority"].filter { stanza.child($0) != nil }
      let mayTell = byBroadcast || bareJID(recorder) == account || accounts[account]?.tellsStatus == true
      if stanza.name == "presence", stanza["type"] == nil, !mayTell, !told.isEmpty {
        return "a session's presence says more than capabilities: \(told)"
      }
      return nil
    }
    // From a bare JID it is the server's word: it puts a client's full JID on all but what is about subscriptions.
    if from == account, stanza.name == "iq" || stanza.name == "presence" && stanza["type"] != nil { return nil }
    // An error that answers what the recorder has itself sent; whether it is the server's very own is for the comparison
    // with an account that has no session.
    if stanza["type"] == "error", stanza.name != "presence", isAnswer(stanza, to: asked) { return nil }
    return "\(recorder) may not know of \(account)"
  }

  /// Whether `asked` has a stanza of the id of `stanza`, or one of its kind without id where it has none.
  private func isAnswer(_ stanza: Node, to asked: String) -> Bool {
    if let id = stanza["id"] { return asked.contains("'\(id)'") }
    return asked.split(separator: "<").contains { $0.hasPrefix(stanza.name + " ") && !$0.contains(" id='") }
  }
}
