// SPDX-License-Identifier: Apache-2.0

public import Audience
internal import EventLoop
internal import XML
internal import XMPP

// By which means the server is made to keep our presence from some, and where it falls short.

extension Account {
  /// By which means the server keeps to what is in force; ``Mechanism/none`` where everybody may see us.
  public var mechanism: Mechanism {
    status == .connected && audience.mode != .visible ? audience.mechanism : .none
  }

  /// The mechanisms that can be used on this server, the best first; none unless connected.
  public var supported: [Mechanism] { status == .connected ? surroundings.supported : [] }

  /// In what the mechanism, or the server, falls short now.
  public var degraded: [Degradation] {
    guard status == .connected, audience.mode != .visible else { return [] }
    var words = surroundings.traits.degradations(of: audience.mechanism)
    if audience.mechanism == .directed { words.insert(.bareMessagesStored) }
    // Where the server thinks us offline, it is we who show ourselves, and nobody tells us who comes later.
    if audience.mode == .except || audience.mode == .only, !audience.mechanism.canExcept {
      words.insert(.lateContactsMissUs)
    }
    if audience.mechanism == .invisiblePresence, !surroundings.announced.contains(.invisiblePresence) {
      words.insert(.unverified)
    }
    words.formUnion(watch.degradations)
    if isResourceKnown { words.insert(.resourceKnown) }
    return words.sorted()
  }

  /// Learns what the server can do, and chooses.
  func learnMechanisms() async {
    let query = Element("query", DiscoInfo.namespace)
    // A server that says nothing announces nothing.
    let answer = try? await requests.send(.get, to: jid.server, payload: query, limit: Self.iqLimit)
    let info = answer?.payload.first.flatMap { try? DiscoInfo($0) }
    knownSurroundings = Surroundings(info, trustsUnannounced: configuration.trustsUnannounced)
    doorkeeper.audience.use(chosenMechanism)
  }

  private var chosenMechanism: Mechanism { configuration.mechanism ?? surroundings.supported.first ?? .directed }

  /// The namespace of the invisible command that the server knows (XEP-0186).
  var invisibleNamespace: String { surroundings.invisibleNamespace }

  /// Refuses a wish that the server has no means for, before anything is done about it.
  func check(_ wish: VisibilityWish) throws(AccountError) {
    guard wish.mode != .visible else { return }
    try checkMechanism()
    try checkPrivacyList(wish)
    guard wish.mode == .except, !chosenMechanism.canExcept, !wish.acceptsLess else { return }
    throw AccountError(
      .notSupportedByServer,
      "This server cannot keep our presence from some contacts alone (that takes XEP-0018 or privacy lists). Nothing was "
        + "changed. \"only\" works everywhere; with the option \"degraded\" our presence is sent to each of the others "
        + "instead, and contacts that log in later do not see us.")
  }

  /// Refuses to be hidden by a mechanism that was asked for and is not there.
  private func checkMechanism() throws(AccountError) {
    guard !surroundings.supported.contains(chosenMechanism) else { return }
    let known = surroundings.supported.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw AccountError(
      .notSupportedByServer,
      "This server does not announce the mechanism \"\(chosenMechanism.rawValue)\"; it has \(known). Add the account "
        + "anew with one of these, or without \"mechanism\".")
  }
}
