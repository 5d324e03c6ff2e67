// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XMPP

// Seeing others while hidden, and what a change of the roster means for who sees us.

extension Account {
  /// Joins the watch to what it needs to know, and to what it finds out.
  func followWatch() {
    watch.onChange = { [weak self] in self?.onEvent(.visibilityChanged) }
    watch.known = { [weak self] contact in
      self?.presences.resources(of: contact).keys.compactMap { resource in
        resource.isEmpty ? JID(contact) : try? JID("\(contact)/\(resource)")
      } ?? []
    }
    watch.lose = { [weak self] jid in self?.lose(jid) }
  }

  /// Brings the watch up to what is in force.
  func watchContacts() {
    updates.goOn()
    watch.begin(
      roster.items.values.filter(\.subscription.isSeen).map(\.jid), watching: wanted.probes,
      resource: fullJID?.resource ?? "")
  }

  /// Presence has arrived: the watch has to do with contacts that we are subscribed to, and with our own resources.
  func watchSaw(_ from: JID, _ presence: Presence) {
    if from.bare == jid {
      if from.resource == nil || from.resource != fullJID?.resource { watch.arrived(from, presence, isOwn: true) }
    } else if roster.items[from.bare]?.subscription.isSeen == true {
      watch.arrived(from, presence, isOwn: false)
    }
  }

  /// A contact's server does not confirm a resource any more. Who has shown itself to us alone is no matter of its server.
  private func lose(_ resource: JID) {
    guard decloak.peers[Address(resource)] == nil else { return }
    if presences.unavailable(resource) { onEvent(.contactChanged(resource.bare)) }
  }

  /// The roster has changed.
  /// - Parameters:
  ///   - isNew: whether the contact was not on it before.
  ///   - gains: whether the contact is subscribed to our presence from now on.
  func followRoster(_ contact: BareJID, _ subscription: Roster.Subscription, isNew: Bool, gains: Bool) {
    watch.changed(contact, isSeen: subscription.isSeen)
    let address = BareAddress(contact)
    let visibility = audience.visibility
    // What was said of somebody who was not on the roster the server has dropped (XEP-0018 §3.3, §3.4).
    if isNew, audience.mechanism == .invisiblePresence, visibility.exceptions.contains(address) {
      let type = visibility.showsOthers ? "invisible" : "visible"
      doorkeeper.send(.presence(Presence(to: JID(contact), type: .other(type))))
      // The server takes directed presence back with it.
      decide { _, audience in
        audience.sessions(with: address).map { .show($0.address, full: audience.seesAll($0.address)) }
      }
    }
    if gains, visibility.shows(address) { welcome(address) }
    if !wanted.groups.isEmpty { wishMayHaveChanged(for: contact) }
  }

  /// A contact is subscribed from now on, and sees all there is to see.
  private func welcome(_ contact: BareAddress) {
    // A server that does not broadcast knows nothing to tell.
    guard audience.visibility.mode == .visible || audience.mechanism.broadcasts else {
      return updates.send(to: [.bare(contact)])
    }
    // To whom we have sent something ourselves jabberd2 sends nothing (measured), and that may have been less than all.
    decide { _, audience in
      audience.sessions(with: contact).filter { audience.wasShown($0.address) }.map { .show($0.address, full: true) }
    }
  }
}
