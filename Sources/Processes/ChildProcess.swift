// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
public import Glibc

/// A program that is started, and ended again: a bus, a server, the daemon.
public final class ChildProcess: Sendable {
  /// Its process id.
  public let pid: pid_t
  private let output: Int32

  /// Starts a program with its standard output in a pipe and its standard error output in a file.
  /// - Throws: ``ProcessFailure`` when it cannot be started.
  public init(_ arguments: [String], log: String) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw ProcessFailure("no pipe for \(arguments[0])") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // The loop's signals are blocked in this process; a child must get its own back.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pointers = arguments.map { strdup($0) } + [nil]
    defer {
      for pointer in pointers { free(pointer) }
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      close(ends[1])
    }
    var child = pid_t()
    let failure = posix_spawnp(&child, arguments[0], &actions, &attributes, &pointers, environ)
    guard failure == 0 else {
      close(ends[0])
      throw ProcessFailure("\(arguments[0]) cannot be started: \(String(cString: strerror(failure)))")
    }
    pid = child
    output = ends[0]
  }

  deinit { close(output) }

  /// The first line of what the program prints; `nil` when it ends before.
  public func firstLine() async -> String? {
    await offLoop { [output] in
      var line: [UInt8] = []
      var byte: UInt8 = 0
      while read(output, &byte, 1) == 1 {
        if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
        line.append(byte)
      }
      return nil
    }
  }

  /// Asks the program to end, and waits for it.
  /// - Returns: its exit status; 128 and more for a signal.
  @discardableResult
  public func end() async -> Int32 {
    await offLoop { [pid] in
      kill(pid, SIGTERM)
      return Self.wait(pid)
    }
  }

  /// Waits for the program's own end.
  public func exitStatus() async -> Int32 { await offLoop { [pid] in Self.wait(pid) } }

  private static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}

/// Why a program could not be started.
public struct ProcessFailure: Error, CustomStringConvertible {
  /// The program and what the system said of it.
  public let description: String
  init(_ text: String) { description = text }
}
