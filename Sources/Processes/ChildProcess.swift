// SPDX-License-Identifier: Apache-2.0

public import EventLoop
public import Glibc

/// A program that is started, and ended again: a bus, a server, the daemon.
@LoopActor
public final class ChildProcess {
  /// The program's name, without its directory.
  public let name: String
  /// Its process id.
  public let pid: pid_t
  private let output: Int32
  /// Held open for the child: some end by themselves when their standard input does, should we be killed.
  private let input: Int32
  private var isGone = false

  /// Starts a program with its standard input and output in pipes and its standard error output in a file.
  /// - Parameters:
  ///   - arguments: the program, looked for in PATH unless it is a path, and its arguments.
  ///   - environment: what is added to ours.
  /// - Throws: ``ProcessFailure`` when it cannot be started.
  public init(_ arguments: [String], log: String, environment: [String: String] = [:]) throws {
    let program = arguments.first ?? ""
    name = String(program.split(separator: "/").last ?? "")
    var toChild: [Int32] = [-1, -1]
    var fromChild: [Int32] = [-1, -1]
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
      throw ProcessFailure("no pipe for \(program): \(String(cString: strerror(errno)))")
    }
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // The loop's signals are blocked in this process; a child must get its own back. A group of its own keeps the
    // terminal's Ctrl-C for us, who end the programs in order.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    var words = arguments.map { strdup($0) } + [nil]
    var variables = Self.ownEnvironment() + environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    var child = pid_t()
    let failure = posix_spawnp(&child, program, &actions, &attributes, &words, &variables)
    for pointer in words + variables { free(pointer) }
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
    close(toChild[0])
    close(fromChild[1])
    (pid, input, output) = (child, toChild[1], fromChild[0])
    guard failure == 0 else {
      throw ProcessFailure("\(program) cannot be started: \(String(cString: strerror(failure)))")
    }
  }

  deinit {
    close(input)
    close(output)
  }

  private static func ownEnvironment() -> [UnsafeMutablePointer<CChar>?] {
    var copies: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let variable = next.pointee {
      copies.append(strdup(variable))
      next += 1
    }
    return copies
  }

  /// The first line of what the program prints; `nil` when it ends before, or takes longer than `limit` and is ended.
  public func firstLine(within limit: Duration = .seconds(20)) async -> String? {
    let timer = EventLoop.shared.time.schedule(after: limit) { [pid] in _ = kill(-pid, SIGKILL) }
    defer { EventLoop.shared.time.cancel(timer) }
    return await offLoop { [output] in
      var line: [UInt8] = []
      var byte: UInt8 = 0
      while read(output, &byte, 1) == 1 {
        if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
        line.append(byte)
      }
      return nil
    }
  }

  /// Whether the program is gone already, and not by ``end()``.
  public var hasEnded: Bool {
    var info = siginfo_t()
    return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo != 0
  }

  /// Asks the program to end, and waits for it; after five seconds it is made to.
  /// - Returns: its exit status; 128 and more for a signal, -1 when it had been waited for before.
  @discardableResult
  public func end() async -> Int32 {
    // Once it has been waited for, its number may belong to somebody else.
    guard !isGone else { return -1 }
    let pid = pid
    kill(pid, SIGTERM)
    let timer = EventLoop.shared.time.schedule(after: .seconds(5)) { _ = kill(-pid, SIGKILL) }
    let status = await offLoop { Self.wait(pid) }
    isGone = true
    EventLoop.shared.time.cancel(timer)
    return status
  }

  /// Waits for the program's own end.
  /// - Returns: as ``end()``.
  public func exitStatus() async -> Int32 {
    let status = await offLoop { [pid] in Self.wait(pid) }
    isGone = true
    return status
  }

  private nonisolated static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return -1 }
    }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}

/// Why a program could not be started.
public struct ProcessFailure: Error, CustomStringConvertible {
  /// What was wrong.
  public let description: String
  init(_ text: String) { description = text }
}
