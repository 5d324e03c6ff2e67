// SPDX-License-Identifier: Apache-2.0

internal import CWitness
internal import Glibc

/// A program that runs for a test, and no longer than it.
///
/// Its standard input is a pipe that we hold, its output goes to one that we read or to a file.
public final class ChildProcess {
  /// How a program ended.
  public enum Ending: Equatable, Sendable {
    /// By itself, with this status.
    case status(Int32)
    /// By this signal.
    case signal(Int32)
  }

  /// Its process id.
  public let pid: Int32
  /// How it ended, once it has been seen to.
  public private(set) var ending: Ending?
  /// What it was started as.
  public let arguments: [String]

  private var input: Int32
  private let output: Int32
  private var unread: [UInt8] = []

  /// Starts `arguments` (the first is looked up in PATH), in the present environment but for `environment`, with its
  /// standard error in the file `errors`.
  public init(_ arguments: [String], environment: [String: String] = [:], errors: String = "/dev/null") throws {
    self.arguments = arguments
    let toChild = try ChildProcess.pipe()
    let fromChild = try ChildProcess.pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild.read, 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild.write, 1)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    // A test beside this one closes its sockets to be heard: nobody may have inherited them.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The tests' event loop blocks signals, which would be inherited.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    var argv = arguments.map { strdup($0) } + [nil]
    var variables = ChildProcess.environment().merging(environment) { $1 }
    variables["LC_ALL"] = "C.UTF-8"
    var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for pointer in argv { free(pointer) }
      for pointer in envp { free(pointer) }
    }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
    close(toChild.read)
    close(fromChild.write)
    self.pid = pid
    input = toChild.write
    output = fromChild.read
    guard error == 0 else {
      close(input)
      close(output)
      throw WitnessError("\(arguments[0]): \(String(cString: strerror(error)))")
    }
  }

  deinit {
    _ = try? end(with: SIGKILL, within: .seconds(5))
    closeInput()
    close(output)
  }

  /// Writes to its standard input.
  public func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(input, bytes, bytes.count)
  }

  /// Ends its standard input.
  public func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// The next line of its standard output without the line feed, nil at its end.
  public func line(within duration: Duration) throws -> String? {
    let deadline = Deadline(duration)
    while true {
      if let end = unread.firstIndex(of: 10) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeSubrange(...end)
        return line
      }
      guard try fill(before: deadline) else {
        defer { unread = [] }
        return unread.isEmpty ? nil : String(decoding: unread, as: UTF8.self)
      }
    }
  }

  /// Everything that it writes until it closes its standard output.
  public func rest(within duration: Duration) throws -> String {
    let deadline = Deadline(duration)
    while try fill(before: deadline) {}
    defer { unread = [] }
    return String(decoding: unread, as: UTF8.self)
  }

  private func fill(before deadline: Deadline) throws -> Bool {
    var descriptor = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, deadline.milliseconds) > 0 else {
      throw WitnessError("\(arguments[0]) (\(pid)) said nothing in time")
    }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(output, &buffer, buffer.count)
    if count > 0 { unread += buffer.prefix(count) }
    return count > 0
  }

  /// Sends it a signal.
  public func signal(_ number: Int32) { if ending == nil { kill(pid, number) } }

  /// Waits for its end.
  public func wait(within duration: Duration) throws -> Ending {
    if let ending { return ending }
    let descriptor = witness_process_descriptor(pid)
    defer { close(descriptor) }
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, Deadline(duration).milliseconds) > 0 else {
      throw WitnessError("\(arguments[0]) (\(pid)) did not end within \(duration)")
    }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    let ended: Ending = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
    ending = ended
    return ended
  }

  /// Sends it `signal` and waits for its end.
  @discardableResult
  public func end(with signal: Int32 = 15, within duration: Duration) throws -> Ending {
    self.signal(signal)
    return try wait(within: duration)
  }

  /// Whether it still runs.
  public var isRunning: Bool { (try? wait(within: .zero)) == nil }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard witness_pipe(&ends) == 0 else { throw WitnessError("pipe: \(String(cString: strerror(errno)))") }
    return (ends[0], ends[1])
  }

  private static func environment() -> [String: String] {
    var variables: [String: String] = [:]
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      pointer += 1
    }
    return variables
  }
}

/// Runs a command to its end.
/// - Returns: how it ended, and what it wrote.
public func run(
  _ arguments: [String], environment: [String: String] = [:], within duration: Duration = .seconds(20)
) throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
  let directory = try TemporaryDirectory()
  let child = try ChildProcess(arguments, environment: environment, errors: directory.file("errors"))
  child.closeInput()
  let output = try child.rest(within: duration)
  return (try child.wait(within: duration), output, readFile(directory.file("errors")))
}
