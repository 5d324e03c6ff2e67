// SPDX-License-Identifier: Apache-2.0

import Support

// What the scenarios about decloaking (XEP-0276) have in common.

extension Witness {
  /// An account of ours that is connected and does with requests what `policy` says.
  func decloaking(
    _ role: String, user: String? = nil, policy: String = "ask", isVisible: Bool = true,
    parameters: KeyValuePairs<String, BusValue> = [:]
  ) throws -> OurAccount {
    let account = try account(role, user: user, parameters: parameters)
    if !isVisible { try account.call(.Visibility, "SetInvisible") }
    model.accounts[account.jid]?.isVisible = isVisible
    try step("\(role) connects") {
      try account.connect()
      try account.set(.Decloak, "Policy", .string(policy))
    }
    return account
  }

  /// Has the owner told of everything.
  func takeInterest() throws {
    try owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
  }

  /// Says who sees an account in sessions.
  func show(_ account: OurAccount, to who: [String]) { model.accounts[account.jid]?.sessions = Set(who) }
}

extension OurAccount {
  /// The requests that wait.
  func requests() throws -> [BusValue] { try call(.Decloak, "ListRequests")[0].list }

  /// Says yes to the only request that waits.
  func approveOnly(_ options: KeyValuePairs<String, BusValue> = [:]) throws {
    let requests = try requests()
    guard requests.count == 1, let id = requests[0]["Id"] else {
      throw WitnessError("one request should wait, and there are \(requests)")
    }
    try call(.Decloak, "Approve", [.string(id.text), .string("once"), .options(options)])
  }

  /// The other ends of its sessions in one direction.
  func sessions(_ direction: String) throws -> Set<String> {
    let all = try call(.Decloak, "ListSessions")[0].list
    return Set(all.filter { $0["Direction"]?.text == direction }.compactMap { $0["Jid"]?.text })
  }
}

extension RawClient {
  /// Asks an account, or a resource of it, to show itself.
  func askToDecloak(_ jid: String, _ elements: String = StrangerQuestion.dialects[0]) throws {
    try send("<presence to='\(jid)'>\(StrangerQuestion.unseenCapabilities)\(elements)</presence>")
  }

  /// Waits for available presence of a resource.
  @discardableResult
  func expectShown(_ full: String) throws -> Node {
    try expect("presence of \(full)") { $0.name == "presence" && $0["from"] == full && $0["type"] == nil }.node
  }

  /// Waits for a resource's goodbye.
  @discardableResult
  func expectGone(_ full: String) throws -> Node {
    try expect("the goodbye of \(full)") { $0.name == "presence" && $0["from"] == full && $0["type"] == "unavailable" }
      .node
  }

  /// The types of all presence that came from an account since `mark` stanzas; "" is available.
  func presences(of account: String, since mark: Int = 0) -> [String] {
    received.dropFirst(mark).map(\.node).filter {
      $0.name == "presence" && bareJID($0["from"] ?? "") == account
    }.map { $0["type"] ?? "" }
  }
}

extension Node {
  /// Presence that says no more than what its sender can do (XEP-0276 §7): capabilities, and the empty photo that keeps
  /// servers from adding an avatar's hash.
  var isMinimalPresence: Bool {
    let known: Set = ["c", "x", "decloak", "temppres"]
    return name == "presence" && self["type"] == nil && Set(children.map(\.name)).isSubset(of: known)
      && child("c", "http://jabber.org/protocol/caps") != nil
      && child("x", "vcard-temp:x:update")?.children.map(\.canonical) == ["<photo/>"]
  }
}
