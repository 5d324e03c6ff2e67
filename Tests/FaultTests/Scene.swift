// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support

/// Users whose connections break; a contact who sees those of them that are visible, and a stranger. What
/// reaches either is judged by the Witness at the end of each step.
final class Scene {
  let witness: Witness
  let certificates: Certificates
  let contact: RawClient
  let stranger: RawClient
  /// The users' names.
  let users: [String]
  let process: Int32

  init(_ witness: Witness, users count: Int = 1) throws {
    self.witness = witness
    certificates = try Certificates.all.get()
    guard let daemon = witness.daemon else { throw WitnessError("no program to test") }
    process = daemon.process.pid
    users = try (0..<count).map { try witness.user("victim\($0)of") }
    let contact = try witness.user("contact")
    // While they get to know each other nobody is watched.
    for user in users { try witness.subscribe(contact, to: user, both: true) }
    self.contact = try witness.client("contact", user: contact)
    stranger = try witness.client("stranger")
    for recorder in [self.contact, stranger] { try recorder.send("<presence/>") }
    try witness.owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "AddClientInterest",
      [.strings(["*"])])
  }

  /// What a proxy does where nothing is wrong with what is said.
  func proxy(
    _ start: Interception.Start = .starttls, showing certificate: TestCertificate? = nil,
    fault: FaultProxy.Fault = .none, change: @escaping Interception.Change = { Array($1.utf8) }
  ) throws -> FaultProxy {
    try FaultProxy(
      to: witness.server.clientPort, fault: fault,
      interception: Interception(start, showing: certificate ?? certificates.good, change: change))
  }

  /// Adds the first user, or another one, to connect through a proxy.
  func account(
    through proxy: FaultProxy, user: String? = nil, tls: String? = nil, isVisible: Bool = false,
    certificate: String? = nil
  ) throws -> OurAccount {
    let trusted = certificate ?? (proxy.isIntercepting ? certificates.root.file : witness.server.certificate)
    let user = user ?? users[0]
    let account = try witness.account(
      user, user: user,
      parameters: [
        "port": .uint16(proxy.port), "ca-file": .string(trusted), "tls": .string(tls ?? "starttls"),
        "visibility": .string(isVisible ? "visible" : "invisible"),
      ])
    // What contacts answer to probes comes when it likes, and Prosody sends it back in the name of a session that is lost:
    // here it is only how one logs in that counts.
    if !isVisible {
      try account.call(
        .Visibility, "SetVisibility", [.string("invisible"), .strings([]), .options(["probe": .bool(false)])])
    }
    return account
  }

  /// Removes it, and all that is remembered of it.
  func remove(_ account: OurAccount) throws {
    account.isGone()
    try witness.owner.call(
      DaemonProcess.busName, "/org/nightcloak/Presence1", "org.nightcloak.Presence1.Manager", "RemoveConnection",
      [.path(account.path), .options(["forget": .bool(true)])])
  }

  /// What the program holds.
  var footprint: Footprint { Footprint(of: process) }

  /// Waits until the program holds no more descriptors than it did.
  func awaitDescriptors(of earlier: Footprint, within duration: Duration = .seconds(15)) throws {
    let deadline = Deadline(duration)
    while footprint.descriptors > earlier.descriptors {
      guard !deadline.hasPassed else {
        throw WitnessError("\(footprint.descriptors) descriptors are open, and there were \(earlier.descriptors)")
      }
      try witness.fence()
    }
  }
}

/// The name of one of our errors.
func ours(_ name: String) -> String { "org.nightcloak.Presence1.Error.\(name)" }

/// How much is tried: every byte where `make faults` asks for it, and what is worth a minute otherwise.
let isThorough = getenv("FAULTS").map { String(cString: $0) } == "all"
