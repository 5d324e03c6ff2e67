// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// What the kernel tells about addresses, routes and interfaces (rtnetlink(7)), down to what may make another server
/// reachable or ours unreachable. No I/O.
///
/// Networks are noisy where nothing changes: a router announces each IPv6 address and route again every few minutes, and
/// a wireless card tells of each scan. What is known already is no change.
struct NetworkChangeFilter {
  /// More is not remembered: then all is forgotten, and what is told again counts again.
  static let mostRemembered = 1024

  /// What an address or a route is told from others by.
  private struct Known: Hashable {
    let isRoute: Bool
    let content: [UInt8]
  }

  private var known: Set<Known> = []
  /// Whether an interface is up and has a carrier, by its index.
  private var isUp: [Int32: Bool] = [:]

  /// Reads one datagram.
  /// - Returns: whether it tells of a change.
  mutating func received(_ datagram: UnsafeRawBufferPointer) -> Bool {
    var hasChanged = false
    var rest = datagram[...]
    let headerSize = MemoryLayout<nlmsghdr>.size
    while rest.count >= headerSize {
      let header = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: nlmsghdr.self)
      guard let length = Int(exactly: header.nlmsg_len), length >= headerSize, length <= rest.count else { break }
      let body = UnsafeRawBufferPointer(rebasing: rest.dropFirst(headerSize).prefix(length - headerSize))
      if isChange(Int(header.nlmsg_type), body) { hasChanged = true }
      rest = rest.dropFirst(Self.aligned(length))
    }
    return hasChanged
  }

  private mutating func isChange(_ type: Int, _ body: UnsafeRawBufferPointer) -> Bool {
    switch type {
    case RTM_NEWADDR, RTM_DELADDR: address(body).map { change($0, isNew: type == RTM_NEWADDR) } ?? false
    case RTM_NEWROUTE, RTM_DELROUTE: route(body).map { change($0, isNew: type == RTM_NEWROUTE) } ?? false
    case RTM_NEWLINK, RTM_DELLINK: link(body, isNew: type == RTM_NEWLINK)
    default: false
    }
  }

  private mutating func change(_ entry: Known, isNew: Bool) -> Bool {
    guard isNew else {
      known.remove(entry)
      // Whether we knew of it or not: it may have been there since before we began to listen.
      return true
    }
    if known.count >= Self.mostRemembered { known.removeAll() }
    return known.insert(entry).inserted
  }

  private mutating func link(_ body: UnsafeRawBufferPointer, isNew: Bool) -> Bool {
    guard body.count >= MemoryLayout<ifinfomsg>.size else { return false }
    let link = body.loadUnaligned(as: ifinfomsg.self)
    let running = UInt32(1 << 6)  // IFF_RUNNING of <net/if.h>, which does not go together with the kernel's headers
    let isRunning = isNew && link.ifi_flags & running != 0
    if isUp.count >= Self.mostRemembered { isUp = [:] }
    let before = isUp.updateValue(isRunning, forKey: link.ifi_index)
    if !isNew { isUp[link.ifi_index] = nil }
    // The first that is told of an interface may be about anything.
    return before.map { $0 != isRunning } ?? (link.ifi_change != 0)
  }

  private func address(_ body: UnsafeRawBufferPointer) -> Known? {
    guard body.count >= MemoryLayout<ifaddrmsg>.size else { return nil }
    let message = body.loadUnaligned(as: ifaddrmsg.self)
    // Not usable yet: the address is told again when it is.
    let tentative = UInt8(0x40)  // IFA_F_TENTATIVE of <linux/if_addr.h>
    guard message.ifa_flags & tentative == 0 else { return nil }
    let place = [message.ifa_family, message.ifa_prefixlen] + bytes(message.ifa_index)
    return Known(isRoute: false, content: place + attributes(body, MemoryLayout<ifaddrmsg>.size, [1, 2]))
  }

  private func route(_ body: UnsafeRawBufferPointer) -> Known? {
    guard body.count >= MemoryLayout<rtmsg>.size else { return nil }
    let message = body.loadUnaligned(as: rtmsg.self)
    // The table of what people and DHCP set; the kernel keeps others for itself, and copies of routes in use.
    let cloned = UInt32(0x200)  // RTM_F_CLONED
    guard message.rtm_table == 254, message.rtm_type == 1, message.rtm_flags & cloned == 0 else { return nil }
    // Destination, interface, gateway.
    return Known(
      isRoute: true,
      content: [message.rtm_family, message.rtm_dst_len] + attributes(body, MemoryLayout<rtmsg>.size, [1, 4, 5]))
  }

  private func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

  /// The attributes of these types, with their types.
  private func attributes(_ body: UnsafeRawBufferPointer, _ start: Int, _ types: Set<UInt16>) -> [UInt8] {
    var found: [UInt8] = []
    var rest = body.dropFirst(Self.aligned(start))
    while rest.count >= MemoryLayout<rtattr>.size {
      let attribute = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: rtattr.self)
      let length = Int(attribute.rta_len)
      guard length >= MemoryLayout<rtattr>.size, length <= rest.count else { break }
      if types.contains(attribute.rta_type) { found += rest.prefix(length) }
      rest = rest.dropFirst(Self.aligned(length))
    }
    return found
  }

  /// All parts begin at a multiple of four.
  private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}
