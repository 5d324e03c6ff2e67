// SPDX-License-Identifier: Apache-2.0

import CWitness
import DBus
import Glibc
import Synchronization
import Testing

/// A dbus-daemon of our own, with its socket in a directory of its own.
final class PrivateBus: Sendable {
  let address: BusAddress
  let text: String
  private let pid: pid_t
  private let directory: String
  private let stopped = Mutex(false)

  init() throws {
    var template = Array("/tmp/nightcloak-bus.XXXXXX".utf8CString)
    directory = String(cString: try #require(mkdtemp(&template)))
    let configuration = directory + "/bus.conf"
    let file = try #require(fopen(configuration, "w"))
    fputs(
      """
      <busconfig>
        <type>session</type>
        <listen>unix:path=\(directory)/bus</listen>
        <auth>EXTERNAL</auth>
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
          <allow own="*"/>
        </policy>
      </busconfig>
      """, file)
    fclose(file)
    var ends: [Int32] = [0, 0]
    try #require(witness_pipe(&ends) == 0)
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3)
    // It ends with this process, also when that crashes.
    let words = [
      "setpriv", "--pdeathsig", "KILL", "dbus-daemon", "--nofork", "--print-address=3",
      "--config-file=\(configuration)",
    ]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, "setpriv", &actions, nil, &arguments, environ)
    close(ends[1])
    try #require(failure == 0, "dbus-daemon is not installed")
    self.pid = pid
    var line = [UInt8](repeating: 0, count: 512)
    let count = read(ends[0], &line, line.count)
    try #require(count > 1, "dbus-daemon did not start")
    text = String(decoding: line.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    address = .address(text)
  }

  /// Ends the daemon; it closes every connection.
  func stop() {
    let wasStopped = stopped.withLock { stopped in
      defer { stopped = true }
      return stopped
    }
    guard !wasStopped else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    unlink(directory + "/bus.conf")
    unlink(directory + "/bus")
    rmdir(directory)
  }

  /// The daemon reads and writes nothing any more.
  func freeze() { kill(pid, SIGSTOP) }

  deinit { stop() }
}
