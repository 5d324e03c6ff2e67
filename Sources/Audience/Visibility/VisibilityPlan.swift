// SPDX-License-Identifier: Apache-2.0

/// From one visibility to another, step by step, for each mechanism.
///
/// The dangerous orders were measured on real servers; each is told where it stands. A change of one contact takes what
/// one contact takes, however many exceptions there are.
public struct VisibilityPlan: Sendable {
  /// How the server is made to keep to it while not everybody may see us.
  let mechanism: Mechanism
  /// Who has a subscription to our presence.
  let subscribers: Set<BareAddress>
  /// Whether contacts that do not see us are to be probed for us.
  let probes: Bool
  /// Whether hiding takes a new stream although the mechanism does not need it.
  let rebinds: Bool

  /// Plans for a stream.
  public init(_ mechanism: Mechanism, subscribers: Set<BareAddress>, probes: Bool = true, rebinds: Bool = false) {
    self.mechanism = mechanism
    self.subscribers = subscribers
    self.probes = probes
    self.rebinds = rebinds
  }

  // MARK: A new stream

  /// What a new stream takes before it counts as up. Nobody sees it yet.
  public func start(in new: Visibility) -> [VisibilityStep] {
    guard new.mode != .visible else { return [.audience(.visible), .broadcast, .fence] }
    switch mechanism {
    case .invisiblePresence:
      guard !new.showsOthers else {
        // A session begins with everybody: those who may not see it are named before it says a word.
        return new.exceptions.sorted().map { .invisible($0) } + [
          .fence, .audience(new), .covered(true), .broadcast, .fence,
        ]
      }
      let shown = new.exceptions.sorted()
      return [.invisible(nil), .fence, .audience(new), .covered(true), .broadcast] + shown.map { .visible($0) }
        + [.fence]
    case .invisibleCommand:
      return [.invisibleCommand(probe: probes), .audience(new), .covered(true), .broadcast] + directed(in: new)
        + [.fence]
    case .privacyList:
      // The list first: what is broadcast before it is active everybody keeps for ever.
      return [.list(new), .activateList, .audience(new), .covered(true), .broadcast, .fence]
    case .directed, .none: return new.mode == .invisible ? [] : [.audience(new)] + directed(in: new) + [.fence]
    }
  }

  /// Presence to each who may see it, where the server broadcasts to nobody.
  private func directed(in new: Visibility) -> [VisibilityStep] {
    let shown = Visibility.invisible.difference(to: new, among: subscribers).shown
    return shown.isEmpty ? [] : [.show(shown)]
  }

  // MARK: A change

  /// What a change takes on a stream that is up.
  public func change(from old: Visibility, to new: Visibility) -> [VisibilityStep] {
    guard old != new else { return [] }
    if leavesStream(old, new) { return [.end(.all), .newStream] }
    return (Self.leaving(from: old, to: new).map { [.end($0)] } ?? [])
      + {
        switch mechanism {
        case .invisiblePresence: byPresence(from: old, to: new)
        case .invisibleCommand: byCommand(from: old, to: new)
        case .privacyList: byList(from: old, to: new)
        case .directed, .none: byDirectedPresence(from: old, to: new)
        }
      }()
  }

  /// Whose sessions a change ends.
  /// - Returns: `nil` for nobody's.
  static func leaving(from old: Visibility, to new: Visibility) -> VisibilityStep.Leaving? {
    // Who is hidden from all at once loses sessions as well; with one contact only that contact does.
    if new.mode == .invisible || (old.showsOthers && !new.showsOthers) { return .all }
    // From nobody to everybody but some, those may be the very same who were shown to before.
    let concerned =
      new.showsOthers == old.showsOthers ? old.exceptions.symmetricDifference(new.exceptions) : new.exceptions
    let hidden = concerned.filter { !new.shows($0) }.sorted()
    return hidden.isEmpty ? nil : .contacts(hidden)
  }

  /// Whoever saw us must not be able to test the full JID that it knows, so hiding takes a new one. And the presence of
  /// XEP-0018 goes from nobody to everybody but some only by way of everybody; a new stream begins with everybody, and
  /// has not said anything yet.
  private func leavesStream(_ old: Visibility, _ new: Visibility) -> Bool {
    if mechanism == .invisiblePresence, !old.showsOthers, new.mode == .except { return true }
    guard mechanism.takesNewStream || rebinds else { return false }
    if new.mode == .invisible || (old.showsOthers && !new.showsOthers) { return true }
    // What was broadcast a server goes on telling whoever logs in, so directed presence must not have been.
    return old.mode == .visible && !mechanism.broadcasts
  }

  private func byPresence(from old: Visibility, to new: Visibility) -> [VisibilityStep] {
    if new.mode == .visible { return [.audience(new), .visible(nil), .fence, .covered(false)] }
    var steps: [VisibilityStep] = []
    var base = old
    if old.showsOthers && !new.showsOthers || new.mode == .invisible {
      steps += [.covered(false), .audience(.invisible), .invisible(nil), .fence, .covered(true)]
      base = .invisible
    }
    let changed = base.exceptions.symmetricDifference(new.exceptions).sorted()
    guard !changed.isEmpty else { return steps }
    // Until the server has heard whom it is to leave out, nothing goes to all.
    return steps + [.covered(false), .audience(new)] + changed.map { new.shows($0) ? .visible($0) : .invisible($0) }
      + [.fence, .covered(true)]
  }

  private func byCommand(from old: Visibility, to new: Visibility) -> [VisibilityStep] {
    if new.mode == .visible { return [.visibleCommand, .covered(false), .audience(new), .broadcast, .fence] }
    if old.mode == .visible {
      return [.covered(false), .audience(.invisible), .invisibleCommand(probe: probes), .covered(true)]
        + [.audience(new)] + directed(in: new) + [.fence]
    }
    return byDirectedPresence(from: old, to: new)
  }

  private func byDirectedPresence(from old: Visibility, to new: Visibility) -> [VisibilityStep] {
    if new.mode == .visible { return [.audience(new), .broadcast, .fence] }
    // Those who were sent our presence and are outside now are told by the change of the audience itself.
    let shown = old.difference(to: new, among: subscribers).shown
    return [.audience(new)] + (shown.isEmpty ? [] : [.show(shown)]) + [.fence]
  }

  private func byList(from old: Visibility, to new: Visibility) -> [VisibilityStep] {
    let change = old.difference(to: new, among: subscribers)
    switch (old.showsOthers, new.showsOthers) {
    case (false, true):
      // All that saw us are told under the old list; without that Prosody never probes, and contacts stay unknown.
      let withdrawn: [VisibilityStep] = [.withdraw, .fence, .covered(false)]
      return new.mode == .visible
        ? withdrawn + [.declineList, .audience(new), .broadcast, .fence, .releaseList]
        : withdrawn + [.list(new), .audience(new), .covered(true), .broadcast, .fence]
    case (true, true), (false, false), (true, false):
      // The goodbye comes before the item that stops it, and presence after the item that lets it through: an edit of a
      // list sends nothing by itself.
      // A list that is not active yet does nothing: it is set first, so that nothing comes between goodbye and activation.
      var steps: [VisibilityStep] = old.mode == .visible && new.mode != .visible ? [.list(new)] : []
      steps += change.hidden.isEmpty ? [] : [.sayGone(change.hidden)]
      steps += [.covered(false), .audience(new)]
      if new.mode == .visible {
        steps += [.declineList]
      } else {
        steps += [old.mode == .visible ? .activateList : .list(new), .covered(true)]
      }
      if !change.shown.isEmpty { steps += [.show(change.shown), .fence] }
      return steps + (new.mode == .visible ? [.releaseList] : [])
    }
  }

  // MARK: The end

  /// What comes before a stream is closed.
  /// - Parameter hasPrivacyLists: whether the server keeps privacy lists.
  public func close(in old: Visibility, hasPrivacyLists: Bool) -> [VisibilityStep] {
    guard old.mode != .visible, !mechanism.broadcasts, mechanism != .invisibleCommand else {
      return [.end(.all), .withdraw]
    }
    let goodbyes: [VisibilityStep] = [.end(.all), .audience(.invisible)]
    guard hasPrivacyLists else { return goodbyes }
    // jabberd2 tells every contact that a session ended which had broadcast nothing, unless a list forbids it; and
    // Prosody does so under a list that no undirected unavailable has passed.
    return goodbyes + [.list(.invisible), .activateList, .covered(true), .withdraw]
  }
}
