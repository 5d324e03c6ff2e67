// SPDX-License-Identifier: Apache-2.0

import Support

/// Everybody around our account, one of each kind.
final class Cast {
  /// Our user's name.
  let user = "juliet"
  let contacts: [Recorder]
  let strangers: [Recorder]
  /// Contacts whom the user's own privacy list keeps away.
  let blocked: [Recorder]
  var recorders: [Recorder] { contacts + strangers + blocked }
  /// The roster at the beginning, by bare JID.
  private(set) var roster: [String: OutsideModel.Contact] = [:]
  private let kinds: [(user: String, seesUs: Bool, isSeen: Bool, groups: Set<String>)] = [
    ("both", true, true, []), ("from", true, false, []), ("to", false, true, []), ("none", false, false, []),
    ("friend", true, true, ["Friends"]), ("colleague", true, false, ["Friends", "Work"]), ("twice", true, true, []),
  ]
  /// The groups that there are.
  static let groups = ["Friends", "Work"]

  init(on server: XMPPServer, hasLists: Bool) throws {
    contacts =
      kinds.map { Recorder($0.user, user: $0.user, resource: "one") } + [
        Recorder("twice, once more", user: "twice", resource: "two")
      ]
    strangers = [
      Recorder("stranger", user: "stranger", resource: "one"),
      Recorder("silent stranger", user: "silent", resource: "one", broadcasts: false),
    ]
    blocked = hasLists ? [Recorder("blocked", user: "blocked", resource: "one")] : []
    for name in Set(recorders.map(\.user) + [user]) { try server.addAccount(name, password: "pass-\(name)") }
  }

  /// All log in and become contacts of each kind.
  func meet(_ server: XMPPServer, through device: RawClient) throws {
    for recorder in recorders { try recorder.logIn(server.clientPort) }
    try device.iq("get", to: nil, "<query xmlns='jabber:iq:roster'/>")
    try device.send("<presence/>")
    try device.ping()
    for kind in kinds + (blocked.isEmpty ? [] : [("blocked", true, true, [])]) {
      guard let recorder = recorders.first(where: { $0.user == kind.user }), let client = recorder.client else {
        continue
      }
      if kind.seesUs { try subscribe(client, to: device) }
      if kind.isSeen { try subscribe(device, to: client) }
      try arrange(recorder.bare, kind.groups, through: device)
      roster[recorder.bare] = OutsideModel.Contact(seesUs: kind.seesUs, isSeen: kind.isSeen, groups: kind.groups)
    }
    if let one = blocked.first { try block(one.bare, through: device) }
    try device.send("<presence type='unavailable'/>")
    try device.ping()
    for recorder in recorders {
      try recorder.client?.ping()
      _ = recorder.client?.takeAll()
    }
  }

  private func subscribe(_ asker: RawClient, to asked: RawClient) throws {
    try asker.send("<presence to='\(asked.bare)' type='subscribe'/>")
    try asked.expect("the subscription request") { $0["type"] == "subscribe" && $0["from"] == asker.bare }
    try asked.send("<presence to='\(asker.bare)' type='subscribed'/>")
    for client in [asked, asker] { try client.ping() }
  }

  /// Puts a contact into groups.
  func arrange(_ contact: String, _ groups: Set<String>, through device: RawClient) throws {
    let elements = groups.sorted().map { "<group>\($0)</group>" }.joined()
    let answer = try device.iq(
      "set", to: nil, "<query xmlns='jabber:iq:roster'><item jid='\(contact)'>\(elements)</item></query>")
    guard answer["type"] == "result" else { throw WitnessError("the roster is not changed: \(answer.canonical)") }
  }

  /// What the user had blocked with another program, before ours came.
  private func block(_ contact: String, through device: RawClient) throws {
    let rules = "<item type='jid' value='\(contact)' action='deny' order='1'/><item action='allow' order='2'/>"
    for payload in ["<list name='own'>\(rules)</list>", "<default name='own'/>"] {
      let answer = try device.iq("set", to: nil, "<query xmlns='jabber:iq:privacy'>\(payload)</query>")
      guard answer["type"] == "result" else { throw WitnessError("no list of our own: \(answer.canonical)") }
    }
  }
}
