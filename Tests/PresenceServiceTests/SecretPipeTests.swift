// SPDX-License-Identifier: Apache-2.0

import CWitness
import DBus
import EventLoop
import Glibc
import Testing

@testable import PresenceService

@Suite("A password that comes through a descriptor", .timeLimit(.minutes(1)))
struct SecretPipeTests {
  init() { EventLoop.runInBackground() }

  private func ends(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws -> (ours: UnixFD, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(make(&ends) == 0)
    return (UnixFD(owning: ends[0]), ends[1])
  }

  @Test("It is read to the end without a word about how the descriptor blocks: who passed it could change that")
  @LoopActor func flagsStay() async throws {
    for make in [
      { witness_pipe($0) },
      { socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, $0) },
    ]
      as [(UnsafeMutablePointer<Int32>) -> Int32]
    {
      let (ours, theirs) = try ends(make)
      _ = EventLoop.shared.time.schedule(after: .milliseconds(20)) {
        // The pipe is empty, and blocks: reading it again after these would wait for ever.
        write(theirs, "sec", 3)
        _ = EventLoop.shared.time.schedule(after: .milliseconds(20)) {
          write(theirs, "ret\n", 4)
          close(theirs)
        }
      }
      #expect(try await SecretPipe.read(ours, within: .seconds(60)) == "secret")
      #expect(fcntl(ours.descriptor, F_GETFL) & O_NONBLOCK == 0)
    }
  }

  @Test("A file is refused: its file system could make us wait")
  @LoopActor func file() async throws {
    let file = UnixFD(owning: open("/proc/self/cmdline", O_RDONLY))
    await #expect(throws: DBusError.self) { try await SecretPipe.read(file) }
  }

  @Test("More than 4096 bytes are refused")
  @LoopActor func tooMuch() async throws {
    let (ours, theirs) = try ends { witness_pipe($0) }
    let bytes = [UInt8](repeating: 0x61, count: 5000)
    _ = write(theirs, bytes, bytes.count)
    await #expect(throws: DBusError.self) { try await SecretPipe.read(ours) }
    close(theirs)
  }
}
