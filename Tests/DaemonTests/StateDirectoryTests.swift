// SPDX-License-Identifier: Apache-2.0

import Glibc
import Support
import Testing

@testable import nightcloakd

@Suite("Where the daemon keeps its state", .timeLimit(.minutes(2)))
struct StateDirectoryTests {
  private func chosen(
    _ bus: CommandLineOptions.Bus, _ environment: [String: String], given: String? = nil
  ) -> StateDirectory.Choice {
    var options = CommandLineOptions()
    (options.bus, options.stateDirectory) = (bus, given)
    return StateDirectory.choose(options) { environment[$0] }
  }

  @Test("The command line is asked first, then systemd, then the bus, then the user's own variables")
  func order() {
    let user = ["HOME": "/home/me", "XDG_STATE_HOME": "/states"]
    let unit = user.merging(["STATE_DIRECTORY": "/var/lib/one:/var/lib/two"]) { $1 }
    let own = CommandLineOptions.Bus.address("unix:path=/bus")
    for bus in [.system, .session, own] {
      #expect(chosen(bus, unit, given: "/given") == .directory("/given"))
      #expect(chosen(bus, unit) == .directory("/var/lib/one"))
    }
    #expect(chosen(.system, user) == .directory("/var/lib/nightcloak"))
    for bus in [.session, own] { #expect(chosen(bus, user) == .directory("/states/nightcloak")) }
    for variables in [[:], ["XDG_STATE_HOME": "", "STATE_DIRECTORY": ""], ["XDG_STATE_HOME": "relative"]] {
      let none = variables.merging(["HOME": "/home/me"]) { $1 }
      #expect(chosen(.session, none) == .directory("/home/me/.local/state/nightcloak"))
      #expect(chosen(own, none) == .memory)
      #expect(chosen(.system, none) == .directory("/var/lib/nightcloak"))
    }
  }

  @Test("Who has no HOME is looked up")
  func withoutHome() throws {
    let home = try #require(getpwuid(geteuid())?.pointee.pw_dir)
    #expect(chosen(.session, [:]) == .directory("\(String(cString: home))/.local/state/nightcloak"))
  }

  /// Runs the program on a bus until it has its name there.
  private func start(
    _ bus: PrivateBus, _ arguments: [String], _ environment: [String: String], errors: String = "/dev/null"
  ) throws -> ChildProcess {
    let observer = try bus.connect()
    try observer.callBus(
      "AddMatch", [.string("type='signal',member='NameOwnerChanged',arg0='\(DaemonProcess.busName)'")])
    let unset = ["STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "DBUS_SESSION_BUS_ADDRESS": bus.address]
    let process = try ChildProcess(
      [DaemonProcess.program] + arguments, environment: unset.merging(environment) { $1 }, errors: errors)
    try observer.expect("the name to get an owner", within: .seconds(20)) { $0.member == "NameOwnerChanged" }
    return process
  }

  private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  @Test("A session's daemon makes its directory, keeps a database there, and leaves it closed")
  func session() throws {
    let bus = try PrivateBus()
    let home = try TemporaryDirectory()
    for (environment, directory) in [
      (["HOME": home.path], home.file(".local/state/nightcloak")),
      (["HOME": home.path, "XDG_STATE_HOME": home.file("xdg")], home.file("xdg/nightcloak")),
      (["STATE_DIRECTORY": home.file("unit")], home.file("unit")),
    ] {
      let daemon = try start(bus, ["--session"], environment)
      #expect(exists("\(directory)/state.db-wal"))
      var status = stat()
      #expect(stat(directory, &status) == 0 && status.st_mode & 0o777 == 0o700)
      #expect(try daemon.end(within: .seconds(10)) == .status(0))
      #expect(exists("\(directory)/state.db") && !exists("\(directory)/state.db-wal"))
    }
  }

  @Test("On a bus of one's own nothing is kept, and that is said to who wants to know")
  func memory() throws {
    let bus = try PrivateBus()
    let home = try TemporaryDirectory()
    let log = home.file("log")
    let arguments = ["--address", bus.address, "--log-level", "info"]
    let daemon = try start(bus, arguments, ["HOME": home.file("home")], errors: log)
    #expect(try daemon.end(within: .seconds(10)) == .status(0))
    #expect(readFile(log).contains("nothing is kept beyond this run: --state-directory"), "\(readFile(log))")
    #expect(!exists(home.file("home")))
  }

  @Test("After SIGKILL the next one goes on where it was")
  func killed() throws {
    let bus = try PrivateBus()
    let home = try TemporaryDirectory()
    let arguments = ["--address", bus.address, "--state-directory", home.file("state")]
    try start(bus, arguments, [:]).end(with: SIGKILL, within: .seconds(10))
    let daemon = try start(bus, arguments, [:])
    #expect(try daemon.end(within: .seconds(10)) == .status(0))
  }

  @Test("A directory that cannot be used ends the program before it is on the bus, and is named")
  func unusable() throws {
    let bus = try PrivateBus()
    let owner = try bus.connect()
    let home = try TemporaryDirectory()
    try writeFile(home.file("file"), "")
    let first = try DaemonProcess(on: bus)
    let other = try PrivateBus()
    for (directory, reason) in [
      (home.file("file"), "not a directory"), ("relative", "absolute"), ("", "absolute"),
      (first.stateDirectory, "process \(first.process.pid)"),
    ] {
      let outcome = try run([DaemonProcess.program, "--address", other.address, "--state-directory", directory])
      #expect(outcome.ending == .status(1))
      #expect(
        outcome.errors.contains(reason) && (directory.isEmpty || outcome.errors.contains(directory)),
        "\(outcome.errors)")
    }
    #expect(try owner.callBus("NameHasOwner", [.string(DaemonProcess.busName)]) == [.bool(true)])
    let witness = try other.connect()
    #expect(try witness.callBus("NameHasOwner", [.string(DaemonProcess.busName)]) == [.bool(false)])
  }
}
