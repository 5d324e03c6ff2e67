// SPDX-License-Identifier: Apache-2.0

import Support

/// Who may see our account, and who must: written from the interface's description alone, and kept apart from the
/// program's own idea of it.
struct OutsideModel: Equatable {
  /// What is known of somebody on the roster.
  struct Contact: Equatable {
    /// A subscription to our presence.
    var seesUs = false
    /// We have one to theirs.
    var isSeen = false
    var groups: Set<String> = []
  }

  /// What somebody sees.
  enum Sight: Int, Comparable {
    case nothing
    /// That we are there, by our capabilities alone.
    case bare
    /// Show and status, too.
    case all

    static func < (left: Sight, right: Sight) -> Bool { left.rawValue < right.rawValue }
  }

  /// How the server is made to keep to it while not everybody may see us.
  let mechanism: String
  /// Whether a session with the server is up, or, while a connection is broken, may be.
  var isOnline = false
  var show = "available"
  var status = ""

  /// Those who are no exceptions see us.
  var showsOthers = true
  /// Bare JIDs, and groups as `group:NAME`.
  var exceptions: Set<String> = []
  /// Bare JIDs that are none although a group of theirs is.
  var withheld: Set<String> = []
  /// A mechanism that cannot keep all of it will do.
  var acceptsLess = false

  /// By bare JID.
  var roster: [String: Contact] = [:]
  /// Bare JIDs that the user's own privacy list keeps away.
  var blocked: Set<String> = []
  /// What somebody was shown for a while.
  struct Session: Equatable {
    /// With show and status.
    let isFull: Bool
    /// Of the person's own accord, and not as the answer to a request.
    var isShared = false
  }

  /// By full or bare JID.
  var sessions: [String: Session] = [:]
  /// What becomes of requests that no rule speaks of.
  var policy = "off"
  /// What was decided beforehand, by bare JID or `@domain`.
  var rules: [String: String] = [:]
  /// Full JIDs that asked, and that nobody has answered.
  var asking: Set<String> = []

  init(mechanism: String) { self.mechanism = mechanism }

  // MARK: What is wanted

  /// The mode's name on the bus.
  var mode: String {
    exceptions.isEmpty ? (showsOthers ? "visible" : "invisible") : (showsOthers ? "except" : "only")
  }

  /// Whether the server can keep to it.
  var isPossible: Bool {
    mode != "except" || acceptsLess || mechanism == "privacy-list" || mechanism == "invisible-presence"
  }

  /// Whether somebody who logs in later is told of us by the server.
  var reachesLatecomers: Bool {
    mode == "visible" || mechanism == "privacy-list" || mechanism == "invisible-presence"
  }

  /// Whether anything has to be done about it: a group without members hides us from nobody.
  var hides: Bool {
    !showsOthers || exceptions.contains { !$0.hasPrefix("group:") } || roster.keys.contains(where: isException)
  }

  private func groups(of contact: String) -> Set<String> {
    Set((roster[contact]?.groups ?? []).map { "group:\($0)" })
  }

  private func isException(_ contact: String) -> Bool {
    exceptions.contains(contact)
      || (!withheld.contains(contact) && !groups(of: contact).isDisjoint(with: exceptions))
  }

  mutating func set(_ mode: String, _ names: [String], acceptsLess: Bool) {
    showsOthers = mode == "visible" || mode == "except"
    exceptions = Set(names)
    withheld = []
    self.acceptsLess = acceptsLess
  }

  /// Shows us to a contact, or to a group's members, or hides us from them. What was said last holds: of a contact also
  /// when it comes into another group, of a group's members as they are.
  mutating func set(_ name: String, isShown: Bool) {
    let becomesException = isShown != showsOthers
    if becomesException { exceptions.insert(name) } else { exceptions.remove(name) }
    let isGroup = name.hasPrefix("group:")
    for contact in isGroup ? roster.keys.filter({ groups(of: $0).contains(name) }) : [name] {
      withheld.remove(contact)
      guard !becomesException else { continue }
      exceptions.remove(contact)
      if !isGroup || !groups(of: contact).isDisjoint(with: exceptions) { withheld.insert(contact) }
    }
    if !exceptions.contains(where: { $0.hasPrefix("group:") }) { withheld = [] }
  }

  // MARK: What is seen

  /// Whether a contact sees us by its subscription.
  func isShown(_ contact: String) -> Bool {
    isOnline && roster[contact]?.seesUs == true && !blocked.contains(contact) && showsOthers != isException(contact)
  }

  /// What `who`, a full JID, sees of us.
  func sight(of who: String) -> Sight {
    let bare = bareJID(who)
    if isShown(bare) { return .all }
    return isOnline ? max(session(who), session(bare)) : .nothing
  }

  /// What somebody is shown for a while.
  func session(_ address: String) -> Sight { sessions[address].map { $0.isFull ? .all : .bare } ?? .nothing }

  /// Ends the sessions with a contact.
  mutating func endSessions(with contact: String) { sessions = sessions.filter { bareJID($0.key) != contact } }
}
