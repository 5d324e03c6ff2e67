// SPDX-License-Identifier: Apache-2.0

import Support

/// Two people, one whom contacts see and one who hides, whose connections break again and again.
final class Endurance {
  /// For how long, and how often.
  struct Plan: Sendable {
    let cuts: Int
    let minutes: Int
    let seed: UInt64
  }

  private(set) var report = Report()
  private let witness: Witness
  private let plan: Plan
  private let people: [Person]
  private let contact: RawClient
  private let friend: RawClient
  private let process: Int32
  private var numbers: SeededNumbers
  private let started = ContinuousClock.now

  // What the visible one last said, what the contact last said, and what was said since the last look.
  private var status = ""
  private var contactStatus = ""
  private var said: [String] = []
  private var serial = 0
  private var readOfContact = 0
  private var readOfBus = 0

  init(_ witness: Witness, _ plan: Plan) throws {
    self.witness = witness
    self.plan = plan
    numbers = SeededNumbers(seed: plan.seed)
    guard let daemon = witness.daemon else { throw WitnessError("no program to test") }
    process = daemon.process.pid
    let users = try ["visible", "hidden"].map { try witness.user($0) }
    let contactUser = try witness.user("contact")
    for user in users { try witness.subscribe(contactUser, to: user, both: true) }
    contact = try witness.client("contact", user: contactUser)
    // One to whom the hidden one shows itself, and one to whom nobody does.
    friend = try witness.client("friend")
    let stranger = try witness.client("stranger")
    for recorder in [contact, friend, stranger] { try recorder.send("<presence/>") }
    try witness.owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
    var people: [Person] = []
    for (user, isVisible) in zip(users, [true, false]) {
      let proxy = try FaultProxy(to: witness.server.clientPort)
      let account = try witness.account(
        user, user: user,
        parameters: ["port": .uint16(proxy.port), "visibility": .string(isVisible ? "visible" : "invisible")])
      witness.model.accounts[account.jid]?.isVisible = isVisible
      let asker = try isVisible ? contact : witness.client("second device", user: user)
      people.append(Person(account, proxy, isVisible: isVisible, asker: asker))
    }
    self.people = people
  }

  /// Breaks and looks.
  func run() throws {
    try witness.step("all connect") { for person in people { _ = try person.arrived() } }
    try witness.step("all speak") { try say() }
    try look("before the first cut", isResumed: false)
    let time = Duration.seconds(60 * plan.minutes)
    for number in 1...max(1, plan.cuts) {
      try one(number)
      report.note(Footprint(of: process))
      if number == max(1, plan.cuts / 20) { report.warm = report.last }
      if number % 25 == 0 {
        print(
          "\(number) cuts, \((ContinuousClock.now - started).components.seconds) s, \(report.last?.memory ?? 0) KiB")
      }
      // The rest of this cut's time is quiet, but for talk.
      while ContinuousClock.now - started < time * number / plan.cuts {
        try pass(min(.seconds(2), time * number / plan.cuts - (ContinuousClock.now - started)))
        for person in people { try person.ask(&report) }
      }
    }
    try witness.step("the end") { for person in people { _ = try person.arrived() } }
    for person in people {
      person.count(&report)
      person.countRest(&report)
    }
    judgeFootprint()
  }

  // MARK: One cut

  private func one(_ number: Int) throws {
    let cut = Cut.random(using: &numbers)
    // One of them, or both at once.
    let struck = [[people[0]], [people[1]], people].randomElement(using: &numbers) ?? people
    var isResumed = true
    try witness.step("cut \(number), \(cut.rawValue)") {
      for person in people { try person.ask(&report) }
      try say()
      for person in struck { person.account.isGone() }
      let signals = witness.owner.received.count
      let begun = ContinuousClock.now
      for person in struck {
        try cut.strike(person.proxy, using: &numbers) { duration in
          try self.say()
          for person in people { try person.ask(&report) }
          try pass(duration)
        }
        // An end that nobody is told of is found when an answer does not come.
        if cut == .halfOpen { try person.expectAnswer() }
      }
      for person in struck {
        try settle(person, after: signals)
        let goesOn = try person.arrived()
        report.settled(cut, isResumed: goesOn, after: ContinuousClock.now - begun)
        if person.isVisible { isResumed = goesOn }
      }
    }
    try look("cut \(number), \(cut.rawValue)", isResumed: isResumed)
  }

  /// Both the visible one and the contact say something new.
  private func say() throws {
    serial += 1
    status = "visible-\(serial)"
    contactStatus = "contact-\(serial)"
    said.append(contactStatus)
    try people[0].account.call(.Connection, "SetPresence", [.string("away"), .string(status), .options()])
    try contact.send("<presence><status>\(contactStatus)</status></presence>")
  }

  /// Waits until it has been lost and is connected again. Where the program waits for long, somebody becomes impatient.
  private func settle(_ person: Person, after signals: Int) throws {
    let bus = witness.owner
    func statuses() -> [String] {
      bus.received.dropFirst(signals).compactMap {
        $0.member == "PropertiesChanged" && $0.path == person.account.path ? $0.arguments[1]["Status"]?.text : nil
      }
    }
    try bus.wait(for: "\(person.account.user) to lose the connection", within: .seconds(60)) { !statuses().isEmpty }
    let deadline = Deadline(.seconds(120))
    while statuses().last != "connected" {
      guard !deadline.hasPassed, statuses().last != "disconnected" else {
        let reason = try person.account.get(.Connection, "StatusReason").text
        throw WitnessError("\(person.account.user) does not come back: \(statuses()), \(reason)")
      }
      do {
        try bus.wait(for: "the next try", within: .seconds(3)) { statuses().last == "connected" }
      } catch is WitnessError where statuses().last == "waiting" {
        _ = try? person.account.call(.Connection, "Connect")
      } catch is WitnessError {}
    }
  }

  /// Lets time pass in which what comes is taken.
  private func pass(_ duration: Duration) throws {
    _ = try? witness.owner.wait(for: "nothing", within: duration) { false }
  }

  // MARK: The look

  /// Compares what everybody sees with what they are meant to see. The Witness has looked for what nobody may see.
  private func look(_ when: String, isResumed: Bool) throws {
    for person in people { person.count(&report) }
    let visible = people[0]
    // The contact's view of the visible one.
    let presences = contact.received.filter { $0.node.name == "presence" && $0.node["from"] == visible.fullJID }
    let shown = presences.last?.node.child("status")?.text
    if presences.last?.node["type"] != nil || shown != status {
      report.complain("\(when): the contact sees \(presences.last?.raw ?? "nothing") instead of \(status)")
    }
    let gone = contact.received.dropFirst(readOfContact).filter {
      $0.node["from"] == visible.fullJID && $0.node["type"] == "unavailable"
    }
    if isResumed, !gone.isEmpty {
      report.flickers += 1
      report.complain("\(when): the contact was told \(gone.map(\.raw)) although the session went on")
    }
    readOfContact = contact.received.count
    // The visible one's view of the contact.
    let entry = try visible.account.call(.Connection, "ListRoster", [.options()]).first?.list.first
    if entry?["Status"]?.text != contactStatus {
      report.complain("\(when): the contact is seen as \(entry?["Status"]?.text ?? "") instead of \(contactStatus)")
    }
    countChanges(when, isResumed: isResumed)
    try keepFriend(when)
  }

  private func countChanges(_ when: String, isResumed: Bool) {
    let visible = people[0].account.path
    let seen = witness.owner.received.dropFirst(readOfBus).compactMap { signal -> String? in
      guard signal.member == "ContactChanged", signal.path == visible else { return nil }
      return signal.arguments.last?["Status"]?.text
    }
    readOfBus = witness.owner.received.count
    defer { said = [] }
    // A new session learns of the last change alone.
    guard isResumed else { return }
    report.changes += said.count
    for change in said {
      switch seen.filter({ $0 == change }).count {
      case 0:
        report.lostChanges += 1
        report.complain("\(when): \(change) never arrived; what came: \(seen)")
      case 1: break
      default:
        report.doubledChanges += 1
        report.complain("\(when): \(change) came more than once: \(seen)")
      }
    }
  }

  /// The hidden one is to be seen by its friend as long as the session lasts, and shown again when it has ended.
  private func keepFriend(_ when: String) throws {
    let hidden = people[1]
    let sessions = try hidden.account.call(.Decloak, "ListSessions")[0].list
    let isShown = sessions.contains { $0["Jid"]?.text == friend.jid && $0["Direction"]?.text == "they-see-me" }
    let last = friend.received.last { $0.node.name == "presence" && $0.node["from"] == hidden.fullJID }
    if isShown != (last != nil && last?.node["type"] == nil) {
      report.complain("\(when): the friend has \(last?.raw ?? "nothing"), and the sessions are \(sessions)")
    }
    guard !isShown else { return }
    try witness.step("\(when): the friend is shown again") {
      witness.model.accounts[hidden.account.jid]?.sessions = [friend.jid]
      try hidden.account.call(.Decloak, "Share", [.string(friend.jid), .options()])
    }
  }

  private func judgeFootprint() {
    report.note(Footprint(of: process))
    guard let warm = report.warm, let last = report.last else { return }
    if last.memory > warm.memory + 4 * 1024 {
      report.complain("memory has grown from \(warm.memory) to \(last.memory) KiB")
    }
    if last.descriptors > warm.descriptors + 2 {
      report.complain("descriptors have grown from \(warm.descriptors) to \(last.descriptors)")
    }
  }
}
