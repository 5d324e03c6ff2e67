// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A nightcloakd that runs for a test.
public final class DaemonProcess {
  /// Its process.
  public let process: ChildProcess
  /// What it wrote to its standard error, up to now.
  public var log: String { readFile(directory.file("log")) }

  private let directory: TemporaryDirectory

  /// The well-known name.
  public static let busName = "org.nightcloak.Presence1"

  /// The program under test: $NIGHTCLOAKD, or the one built beside the tests.
  public static var program: String {
    if let path = getenv("NIGHTCLOAKD") { return String(cString: path) }
    let beside = executableDirectory + "/nightcloakd"
    if access(beside, X_OK) == 0 { return beside }
    return String(#filePath.dropLast("Tests/Support/DaemonProcess.swift".count)) + ".build/debug/nightcloakd"
  }

  /// Where it keeps its state.
  public let stateDirectory: String

  /// Starts it on a bus and waits until it owns its name.
  /// - Parameters:
  ///   - bus: where it serves.
  ///   - logLevel: nil is its default.
  ///   - stateDirectory: what an earlier one has left; one of its own that goes with it when not given.
  ///   - arguments: further ones.
  public init(
    on bus: PrivateBus, logLevel: String? = "debug", stateDirectory: String? = nil, arguments: [String] = []
  ) throws {
    directory = try TemporaryDirectory()
    self.stateDirectory = stateDirectory ?? directory.file("state")
    let observer = try bus.connect()
    try observer.callBus(
      "AddMatch",
      [.string("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='\(Self.busName)'")])
    let level = logLevel.map { ["--log-level", $0] } ?? []
    process = try ChildProcess(
      [Self.program, "--address", bus.address, "--state-directory", self.stateDirectory] + level + arguments,
      errors: directory.file("log"))
    do {
      try observer.expect("\(Self.busName) to get an owner", within: .seconds(15)) { $0.member == "NameOwnerChanged" }
    } catch {
      throw WitnessError("\(Self.program) does not start: \(error)\n\(log)")
    }
  }

  /// Ends it as systemd does.
  @discardableResult
  public func terminate(within: Duration = .seconds(5)) throws -> ChildProcess.Ending {
    try process.end(with: SIGTERM, within: within)
  }

  private static let executableDirectory: String = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }()
}
