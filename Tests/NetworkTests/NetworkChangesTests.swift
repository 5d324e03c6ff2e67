// SPDX-License-Identifier: Apache-2.0

import CLinux
import EventLoop
import Glibc
import Testing

@testable import Network

/// Messages as the kernel writes them (rtnetlink(7)).
private enum Netlink {
  static func message(_ type: Int, _ body: [UInt8]) -> [UInt8] {
    let header = nlmsghdr(
      nlmsg_len: UInt32(16 + body.count), nlmsg_type: UInt16(type), nlmsg_flags: 0, nlmsg_seq: 0, nlmsg_pid: 0)
    return bytes(header) + body
  }

  static func address(_ type: Int, _ address: [UInt8], flags: UInt8 = 0x80, index: UInt32 = 2) -> [UInt8] {
    let body = ifaddrmsg(
      ifa_family: 2, ifa_prefixlen: 24, ifa_flags: flags, ifa_scope: 0, ifa_index: index)
    // What a router announces again has a new lifetime, in an attribute of type 6.
    let lifetime = attribute(6, (0..<16).map { _ in UInt8.random(in: 0...255) })
    return message(type, bytes(body) + attribute(1, address) + lifetime)
  }

  static func route(
    _ type: Int, to destination: [UInt8] = [], by gateway: [UInt8] = [192, 0, 2, 1], table: UInt8 = 254,
    kind: UInt8 = 1, flags: UInt32 = 0
  ) -> [UInt8] {
    let body = rtmsg(
      rtm_family: 2, rtm_dst_len: UInt8(destination.count * 8), rtm_src_len: 0, rtm_tos: 0,
      rtm_table: table, rtm_protocol: 0, rtm_scope: 0, rtm_type: kind, rtm_flags: flags)
    let target = destination.isEmpty ? [] : attribute(1, destination)
    return message(type, bytes(body) + target + attribute(5, gateway) + attribute(4, [2, 0, 0, 0]))
  }

  static func link(_ type: Int, isRunning: Bool, change: UInt32 = 0, index: Int32 = 2) -> [UInt8] {
    let flags: UInt32 = isRunning ? 1 << 6 : 0
    return message(
      type,
      bytes(
        ifinfomsg(
          ifi_family: 0, __ifi_pad: 0, ifi_type: 1, ifi_index: index, ifi_flags: flags, ifi_change: change)))
  }

  static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    let whole = bytes(rtattr(rta_len: UInt16(4 + value.count), rta_type: type)) + value
    return whole + [UInt8](repeating: 0, count: (4 - whole.count % 4) % 4)
  }

  private static func bytes(_ value: some Any) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}

@Suite("Changes of the network", .timeLimit(.minutes(1)))
struct NetworkChangesTests {
  init() { EventLoop.runInBackground() }

  private func tell(_ filter: inout NetworkChangeFilter, _ datagram: [UInt8]) -> Bool {
    datagram.withUnsafeBytes { filter.received($0) }
  }

  @Test("An address that comes or goes is a change; one that is announced again is none")
  func addresses() {
    var filter = NetworkChangeFilter()
    let here = [192, 0, 2, 7] as [UInt8]
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, here)))
    #expect(!tell(&filter, Netlink.address(RTM_NEWADDR, here)))
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, [192, 0, 2, 8])))
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, here, index: 3)))
    #expect(tell(&filter, Netlink.address(RTM_DELADDR, here)))
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, here)), "it did not notice that the address was gone")
    #expect(tell(&filter, Netlink.address(RTM_DELADDR, [198, 51, 100, 1])), "one from before we listened has gone")
  }

  @Test("An address that cannot be used yet is none")
  func tentative() {
    var filter = NetworkChangeFilter()
    #expect(!tell(&filter, Netlink.address(RTM_NEWADDR, [192, 0, 2, 7], flags: 0x40)))
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, [192, 0, 2, 7])))
  }

  @Test("Routes are told by where they lead and by whom, and only those of people")
  func routes() {
    var filter = NetworkChangeFilter()
    #expect(tell(&filter, Netlink.route(RTM_NEWROUTE)))
    #expect(!tell(&filter, Netlink.route(RTM_NEWROUTE)))
    #expect(tell(&filter, Netlink.route(RTM_NEWROUTE, by: [192, 0, 2, 2])))
    #expect(tell(&filter, Netlink.route(RTM_NEWROUTE, to: [10, 0])))
    #expect(tell(&filter, Netlink.route(RTM_DELROUTE)))
    #expect(!tell(&filter, Netlink.route(RTM_NEWROUTE, to: [10, 1], table: 255)))
    #expect(!tell(&filter, Netlink.route(RTM_NEWROUTE, to: [10, 2], kind: 3)))
    #expect(!tell(&filter, Netlink.route(RTM_NEWROUTE, to: [10, 3], flags: 0x200)))
  }

  @Test("A link that comes up or goes down is a change; one that only talks is none")
  func links() {
    var filter = NetworkChangeFilter()
    #expect(!tell(&filter, Netlink.link(RTM_NEWLINK, isRunning: true)))
    #expect(!tell(&filter, Netlink.link(RTM_NEWLINK, isRunning: true, change: 1)))
    #expect(tell(&filter, Netlink.link(RTM_NEWLINK, isRunning: false)))
    #expect(tell(&filter, Netlink.link(RTM_NEWLINK, isRunning: true)))
    #expect(tell(&filter, Netlink.link(RTM_NEWLINK, isRunning: true, change: 1, index: 9)))
    #expect(tell(&filter, Netlink.link(RTM_DELLINK, isRunning: true)))
  }

  @Test("Several in one datagram are each read, and what is broken ends it")
  func datagrams() {
    var filter = NetworkChangeFilter()
    let quiet = Netlink.link(RTM_NEWLINK, isRunning: true)
    let change = Netlink.address(RTM_NEWADDR, [192, 0, 2, 7])
    #expect(tell(&filter, quiet + change))
    for count in 0..<change.count {
      var filter = NetworkChangeFilter()
      #expect(!tell(&filter, Array(change[..<count])))
    }
    for length in [0, 1, 15, 17, 0xffff_ffff] as [UInt32] {
      var broken = change
      broken.replaceSubrange(0..<4, with: withUnsafeBytes(of: length) { Array($0) })
      var filter = NetworkChangeFilter()
      #expect(!tell(&filter, broken))
    }
    // An attribute that says that it has no length, or is too long, is where reading ends.
    for length in [0, 3, 200] as [UInt8] {
      var broken = change
      broken[24] = length
      _ = tell(&filter, broken)
    }
  }

  @Test("Only so much is remembered")
  func limit() {
    var filter = NetworkChangeFilter()
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, [0, 0, 0, 1])))
    for number in 0..<NetworkChangeFilter.mostRemembered {
      #expect(tell(&filter, Netlink.address(RTM_NEWADDR, [1, 0, UInt8(number >> 8), UInt8(number & 255)])))
    }
    #expect(tell(&filter, Netlink.address(RTM_NEWADDR, [0, 0, 0, 1])), "the first is still remembered")
  }

  @LoopActor private final class Count { var count = 0 }

  @Test("Many changes are told once, half a second after the first, and later ones again")
  @LoopActor func coalescing() async throws {
    let ends = datagramPair()
    defer { close(ends[1]) }
    let (time, told) = (ManualTime(), Count())
    let changes = NetworkChanges(descriptor: ends[0], time: time) { told.count += 1 }
    func tell(_ datagram: [UInt8]) { send(ends[1], datagram, datagram.count, 0) }
    tell(Netlink.link(RTM_NEWLINK, isRunning: true))
    tell(Netlink.address(RTM_NEWADDR, [192, 0, 2, 7]))
    tell(Netlink.address(RTM_NEWADDR, [192, 0, 2, 8]))
    await settle { time.pendingTimers > 0 }
    #expect(time.pendingTimers == 1)
    time.advance(by: .milliseconds(499))
    tell(Netlink.route(RTM_NEWROUTE))
    #expect(told.count == 0)
    time.advance(by: .milliseconds(1))
    #expect(told.count == 1)
    tell(Netlink.address(RTM_DELADDR, [192, 0, 2, 7]))
    await settle { time.pendingTimers == 1 }
    time.advance(by: .milliseconds(500))
    #expect(told.count == 2)
    withExtendedLifetime(changes) {}
  }

  @Test("The kernel lets us listen, and nothing is told while nothing changes")
  @LoopActor func kernel() throws {
    let time = ManualTime()
    let changes = try #require(NetworkChanges(time: time) { Issue.record("a change was told at once") })
    #expect(time.pendingTimers == 0)
    withExtendedLifetime(changes) {}
  }
}

@Suite("Changes of the clock", .timeLimit(.minutes(1)))
struct ClockChangesTests {
  init() { EventLoop.runInBackground() }

  @Test("A suspend is told from a clock that was set")
  func kinds() {
    #expect(ClockChanges.Change(asleep: .seconds(3600)) == .woke(after: .seconds(3600)))
    #expect(ClockChanges.Change(asleep: .milliseconds(100)) == .woke(after: .milliseconds(100)))
    #expect(ClockChanges.Change(asleep: .zero) == .clockSet)
    #expect(ClockChanges.Change(asleep: .microseconds(3)) == .clockSet)
    #expect(ClockChanges.Change(asleep: .seconds(-1)) == .clockSet)
  }

  @LoopActor private final class Log { var changes: [ClockChanges.Change] = [] }

  @Test("Each jump is told once")
  @LoopActor func jump() async throws {
    // Readable, as the kernel makes the timer when the clock jumps: no test may set the machine's clock.
    let descriptor = eventfd(0, linux_eventfd_flags)
    let log = Log()
    let changes = ClockChanges(descriptor: descriptor) { log.changes.append($0) }
    for count in 1...2 {
      var one: UInt64 = 1
      #expect(write(descriptor, &one, 8) == 8)
      await settle { log.changes.count >= count }
    }
    #expect(log.changes == [.clockSet, .clockSet])
    withExtendedLifetime(changes) {}
  }

  @Test("The kernel gives us a timer that does not go off")
  @LoopActor func kernel() async throws {
    let log = Log()
    let changes = try #require(ClockChanges { log.changes.append($0) })
    // Whatever is ready has been seen when the loop has turned.
    for _ in 0..<3 { await EventLoop.shared.time.wait(for: .zero) }
    #expect(log.changes.isEmpty)
    withExtendedLifetime(changes) {}
  }
}
