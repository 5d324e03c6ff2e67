// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Testing

@testable import XMPP

/// A client and a server that know nothing of each other but the bytes between them.
struct CutRun {
  var client: ModelClient
  var server: ModelServer
  var now = MonotonicTime(nanoseconds: 1_000_000_000)
  private(set) var sentByClient: [String] = []
  private(set) var sentByServer: [String] = []
  /// How many bytes have arrived anywhere.
  private(set) var bytes = 0

  /// A new session, or one whose counts stand where they are told.
  init(count: UInt32?) throws {
    var resumption: Resumption?
    if let count { resumption = try StreamManagementTests.resumption(handled: count &+ 3, acknowledged: count) }
    client = try ModelClient(resumption, at: now)
    server = ModelServer(count: count ?? 0, confirmed: count.map { $0 &+ 3 } ?? 0)
  }

  mutating func clientSends() throws {
    sentByClient.append("c\(sentByClient.count)")
    try client.send(sentByClient.last ?? "", at: now)
  }

  mutating func serverSends() {
    // Of different lengths, so that they are of different kinds.
    sentByServer.append("s\(sentByServer.count)" + String(repeating: "-", count: sentByServer.count % 3))
    server.send(sentByServer.last ?? "")
  }

  mutating func toServer(_ most: Int) {
    let piece = client.takeOutput(most)
    bytes += piece.count
    server.received(piece)
  }

  mutating func toClient(_ most: Int) throws {
    let piece = server.takeOutput(most)
    bytes += piece.count
    try client.received(piece, at: now)
  }

  mutating func pass(_ duration: Duration) throws {
    now = now + duration
    client.pass(to: now)
    if client.isCut { try cut() }
  }

  mutating func cut() throws {
    try client.cut(at: now)
    server.connect()
  }

  /// Lets all arrive.
  mutating func settle() throws {
    while !client.output.isEmpty || !server.output.isEmpty {
      toServer(1000)
      try toClient(1000)
    }
  }

  func check(_ what: String) {
    #expect(client.failure == nil, "\(what)")
    #expect(!server.isOver, "\(what)")
    #expect(server.taken == sentByClient, "\(what)")
    #expect(client.taken == sentByServer, "\(what)")
  }
}

/// Chance that can be repeated.
struct RepeatableChance: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

@Suite("Nothing is lost and nothing doubled when connections are cut")
struct CutTests {
  /// A short conversation, cut once after so many bytes; tells how many there were.
  private func conversation(cutAfter cut: Int) throws -> Int {
    var run = try CutRun(count: nil)
    try run.settle()
    let start = run.bytes
    var isCut = false
    func step(_ run: inout CutRun, toServer: Bool) throws {
      if !isCut, run.bytes - start == cut {
        isCut = true
        try run.cut()
      }
      let most = isCut ? 1000 : min(13, cut - (run.bytes - start))
      if toServer { run.toServer(most) } else { try run.toClient(most) }
    }
    for turn in 0..<30 {
      if turn < 16, turn.isMultiple(of: 2) { try run.clientSends() }
      if turn < 16, turn.isMultiple(of: 3) { run.serverSends() }
      if turn.isMultiple(of: 6) { run.server.ask() }
      if turn.isMultiple(of: 5) { try run.pass(.seconds(1)) }
      try step(&run, toServer: true)
      try step(&run, toServer: false)
      try step(&run, toServer: true)
    }
    let before = run.bytes - start
    try run.settle()
    run.check("cut after \(cut) bytes")
    return before
  }

  @Test("At every byte of a conversation")
  func everyByte() throws {
    let bytes = try conversation(cutAfter: .max)
    #expect(bytes > 300)
    for cut in 0..<bytes { _ = try conversation(cutAfter: cut) }
  }

  @Test("Again and again, by chance", arguments: 0..<8)
  func chance(seed: Int) throws {
    for part in 0..<10 {
      var chance = RepeatableChance(seed: UInt64(seed * 10 + part))
      // Every second one wraps around.
      var run = try CutRun(count: part.isMultiple(of: 2) ? nil : UInt32.max - UInt32.random(in: 0..<20, using: &chance))
      try run.settle()
      for _ in 0..<300 {
        switch Int.random(in: 0..<40, using: &chance) {
        case 0..<6: try run.clientSends()
        case 6..<11: run.serverSends()
        case 11..<20: run.toServer(Int.random(in: 1...200, using: &chance))
        case 20..<30: try run.toClient(Int.random(in: 1...200, using: &chance))
        case 30..<36: try run.pass(.milliseconds(Int64.random(in: 0...2000, using: &chance)))
        case 36: try run.pass(.seconds(12))
        case 37: run.server.ask()
        default: try run.cut()
        }
      }
      try run.settle()
      run.check("seed \(seed), part \(part)")
    }
  }
}
