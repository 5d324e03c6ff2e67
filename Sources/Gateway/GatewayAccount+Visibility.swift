// SPDX-License-Identifier: Apache-2.0

public import Account
public import Audience
internal import EventLoop
public import XMPP

// Who may see any of our addresses. No server broadcasts for a component, so nobody has to confirm it.

extension GatewayAccount {
  /// Sets who may see any of our addresses. It holds, and all goodbyes have left, when it returns.
  /// - Throws: ``AccountError`` `storageFailed`, `limitExceeded`, or `invalidArgument` for groups: there is no roster.
  public func setVisibility(_ new: VisibilityWish) async throws(AccountError) {
    guard new.groups.isEmpty else {
      throw AccountError(.invalidArgument, "A gateway has no roster with groups: name contacts instead.")
    }
    try checkWritable()
    guard new != wanted || !keptWish.isKept(new) else { return }
    let unkept = try keptWish.keep(new, insteadOf: wanted, in: store)
    wanted = new
    let (old, visibility, now) = (gateway.visibility, Visibility(new), now)
    showings.change(from: old, to: visibility, at: now)
    decide { $0.setVisibility(visibility, now: now) }
    onEvent(.visibilityChanged)
    if let unkept {
      // What is owed to others leaves all the same; why it cannot be kept is known already.
      try? await delivered()
      throw unkept
    }
    try await flushKept()
    try await delivered()
  }

  /// Lets contacts see us; the rest stays as it is.
  /// - Throws: ``AccountError``.
  public func showTo(_ contacts: [BareJID]) async throws(AccountError) {
    var new = wanted
    for contact in contacts { new.show(BareAddress(contact)) }
    try await setVisibility(new)
  }

  /// Hides us from contacts; the rest stays as it is. Sessions with them end.
  /// - Throws: ``AccountError``.
  public func hideFrom(_ contacts: [BareJID]) async throws(AccountError) {
    var new = wanted
    for contact in contacts { new.hide(BareAddress(contact)) }
    try await setVisibility(new)
  }

  /// Says what we are doing, to those who see all of it.
  /// - Parameters:
  ///   - show: `nil` is plain "available".
  ///   - status: free text.
  public func setPresence(show: Presence.Show?, status text: String) {
    var new = presence
    new.show = show
    new.status = text
    guard new != presence else { return }
    presence = new
    onEvent(.presenceChanged)
    if status == .connected, !isClosing { carryOut(gateway.showAgain(presence: true), isPaced: true) }
  }

  /// Tells those who may know what we can do now.
  func capabilitiesChanged() {
    ownCapabilities = OwnCapabilities(
      identities: configuration.identities, handled: configuration.features + handlers.features)
    guard presence.capabilities != ownCapabilities.element else { return }
    presence.capabilities = ownCapabilities.element
    if status == .connected, !isClosing { carryOut(gateway.showAgain(presence: false), isPaced: true) }
  }
}
