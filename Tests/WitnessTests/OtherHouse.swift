// SPDX-License-Identifier: Apache-2.0

import Support

/// A second program on a bus of its own: one program has an account once only, and a person may have several devices.
final class OtherHouse {
  private let bus: PrivateBus
  private let daemon: DaemonProcess
  private let owner: RawBus

  init() throws {
    bus = try PrivateBus()
    daemon = try DaemonProcess(on: bus)
    owner = try bus.connect()
  }

  /// Ends the program.
  func end() throws { try daemon.terminate() }

  /// A further device of a person who has one already.
  final class Device {
    /// Its full JID.
    private(set) var full = ""
    private let account: BusAccount
    private let owner: RawBus
    private let probe: RawClient

    fileprivate init(_ account: BusAccount, _ owner: RawBus, _ probe: RawClient) {
      (self.account, self.owner, self.probe) = (account, owner, probe)
    }

    /// Calls a method of the object.
    @discardableResult
    func call(_ interface: String, _ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
      try owner.call(DaemonProcess.busName, account.path, "org.nightcloak.Presence1.\(interface)", member, arguments)
    }

    /// Connects.
    func connect() throws {
      try account.call("Connect")
      full = try account.get("Jid")?.text ?? ""
    }

    /// When this returns, the program has dealt with all that `sender` sent before, and what it sent has come.
    func fence(through sender: RawClient) throws {
      try sender.ping()
      try probe.iq("get", to: full, "<ping xmlns='urn:xmpp:ping'/>")
      try sender.ping()
    }

    /// Sets what becomes of requests.
    func setPolicy(_ policy: String) throws {
      try owner.call(
        DaemonProcess.busName, account.path, "org.freedesktop.DBus.Properties", "Set",
        [.string("org.nightcloak.Presence1.Decloak"), .string("Policy"), .variant(.string(policy))])
    }
  }

  /// Connects another device of `account`'s person.
  func connect(
    _ account: OurAccount, resource: String, policy: String, visibility: String = "visible", on server: XMPPServer
  ) throws -> Device {
    let added = try BusAccount(
      account.jid, on: owner,
      [
        "password": .string("pass-\(account.user)"), "server": .string("127.0.0.1"), "port": .uint16(server.clientPort),
        "ca-file": .string(server.certificate), "resource": .string(resource), "visibility": .string(visibility),
      ])
    let probe = try RawClient.login(
      name: "the fence of \(resource)", port: server.clientPort, user: account.user, password: "pass-\(account.user)",
      resource: "fence-\(resource)")
    let device = Device(added, owner, probe)
    try device.connect()
    try device.setPolicy(policy)
    return device
  }
}
