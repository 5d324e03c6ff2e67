// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import Store
import Synchronization
import Testing

@testable import Account

@Suite("What cannot be kept", .timeLimit(.minutes(1)))
struct StoreFaultsTests {
  init() { EventLoop.runInBackground() }

  private struct Lines: LogHandler {
    final class Written: Sendable {
      let lines = Mutex<[String]>([])
    }

    let written: Written
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { written.lines.withLock { $0.append("\(event.message)") } }
  }

  @Test("The log is told once of each kind of failure, whoever meets it")
  @LoopActor func once() async throws {
    let store = try await Store.open(directory: nil)
    let account = store.account(AccountKey(uid: 1000, jid: "juliet@localhost", protocol: "xmpp"))
    let written = Lines.Written()
    let faults = StoreFaults(Logger(label: "test") { _ in Lines(written: written) })
    func note(_ mechanism: String) -> Void? {
      faults.attempt { () throws(StoreError) in try account.setLeastMechanism(mechanism) }
    }
    #expect(note("PLAIN") != nil)
    #expect(note(String(repeating: "x", count: 10_000)) == nil)
    #expect(note(String(repeating: "x", count: 10_000)) == nil)
    await store.close()
    #expect(note("X") == nil)
    #expect(note("X") == nil)
    #expect(written.lines.withLock { $0 }.count == 2)
  }
}
