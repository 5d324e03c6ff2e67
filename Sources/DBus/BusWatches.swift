// SPDX-License-Identifier: Apache-2.0

internal import CDBus
internal import EventLoop

/// libdbus's watches on the event loop.
///
/// Its read and its write watch share one descriptor, of which epoll knows one interest: they are merged. libdbus
/// turns the write watch on and off for each message that it sends, mostly without need as the message goes out at
/// once: the merged interest is therefore told to epoll by ``settle()``, after libdbus is through.
@LoopActor
final class BusWatches {
  private struct Watched {
    let descriptor: Int32
    var watches: [OpaquePointer]
    /// What the loop was told; nothing when it does not watch the descriptor.
    var interest: EventLoop.Interest = []
  }

  // One, or a few while libdbus connects.
  private var watched: [Watched] = []
  private var isUnsettled = false
  /// Whether libdbus is reading or writing.
  private(set) var isHandling = false
  /// Called after watches were handled.
  private let afterwards: @LoopActor () -> Void

  init(_ afterwards: @escaping @LoopActor () -> Void) { self.afterwards = afterwards }

  func add(_ watch: OpaquePointer) {
    isUnsettled = true
    let descriptor = dbus_watch_get_unix_fd(watch)
    if let index = watched.firstIndex(where: { $0.descriptor == descriptor }) {
      watched[index].watches.append(watch)
    } else {
      watched.append(Watched(descriptor: descriptor, watches: [watch]))
    }
  }

  func remove(_ watch: OpaquePointer) {
    isUnsettled = true
    for index in watched.indices.reversed() {
      watched[index].watches.removeAll { $0 == watch }
      guard watched[index].watches.isEmpty else { continue }
      // The descriptor may be closed as soon as its last watch is gone, and its number reused.
      if !watched[index].interest.isEmpty { EventLoop.shared.unwatch(watched[index].descriptor) }
      watched.remove(at: index)
    }
  }

  func toggled() { isUnsettled = true }

  /// Tells the loop what the watches want by now.
  func settle() {
    guard isUnsettled else { return }
    isUnsettled = false
    for index in watched.indices {
      let interest = Self.interest(of: watched[index].watches)
      guard interest != watched[index].interest else { continue }
      watched[index].interest = interest
      let descriptor = watched[index].descriptor
      // epoll tells errors and hang-ups also of a descriptor without interest, again and again.
      if interest.isEmpty {
        EventLoop.shared.unwatch(descriptor)
      } else {
        EventLoop.shared.watch(descriptor, for: interest) { [unowned self] in ready(descriptor, $0) }
      }
    }
  }

  private static func interest(of watches: [OpaquePointer]) -> EventLoop.Interest {
    var interest: EventLoop.Interest = []
    for watch in watches where dbus_watch_get_enabled(watch) != 0 {
      let flags = dbus_watch_get_flags(watch)
      if flags & DBUS_WATCH_READABLE.rawValue != 0 { interest.insert(.read) }
      if flags & DBUS_WATCH_WRITABLE.rawValue != 0 { interest.insert(.write) }
    }
    return interest
  }

  private func watches(of descriptor: Int32) -> [OpaquePointer] {
    for entry in watched where entry.descriptor == descriptor { return entry.watches }
    return []
  }

  private func ready(_ descriptor: Int32, _ events: EventLoop.Interest) {
    let always = DBUS_WATCH_ERROR.rawValue | DBUS_WATCH_HANGUP.rawValue
    var conditions: UInt32 = 0
    if events.contains(.read) { conditions |= DBUS_WATCH_READABLE.rawValue }
    if events.contains(.write) { conditions |= DBUS_WATCH_WRITABLE.rawValue }
    if events.contains(.error) { conditions |= DBUS_WATCH_ERROR.rawValue }
    if events.contains(.hangUp) { conditions |= DBUS_WATCH_HANGUP.rawValue }
    isHandling = true
    // Reading first, which libdbus asks for last: what came in before an end is heard before the end.
    for watch in watches(of: descriptor).reversed() {
      // Handling one watch may have freed the next: only what is still listed may be touched.
      guard watches(of: descriptor).contains(watch), dbus_watch_get_enabled(watch) != 0 else { continue }
      let mine = conditions & (dbus_watch_get_flags(watch) | always)
      if mine != 0 { dbus_watch_handle(watch, mine) }
    }
    isHandling = false
    afterwards()
  }
}
