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
  private var watches: [Int32: [OpaquePointer]] = [:]
  private var unsettled: Set<Int32> = []
  /// Called after watches were handled.
  private let afterwards: @LoopActor () -> Void

  init(_ afterwards: @escaping @LoopActor () -> Void) { self.afterwards = afterwards }

  func add(_ watch: OpaquePointer) {
    let descriptor = dbus_watch_get_unix_fd(watch)
    watches[descriptor, default: []].append(watch)
    unsettled.insert(descriptor)
  }

  func remove(_ watch: OpaquePointer) {
    for (descriptor, list) in watches where list.contains(watch) {
      let rest = list.filter { $0 != watch }
      watches[descriptor] = rest.isEmpty ? nil : rest
      // The descriptor may be closed as soon as the last watch is gone, and its number reused.
      if rest.isEmpty { EventLoop.shared.unwatch(descriptor) } else { unsettled.insert(descriptor) }
    }
  }

  func toggled(_ watch: OpaquePointer) { unsettled.insert(dbus_watch_get_unix_fd(watch)) }

  /// Tells the loop what the watches want by now.
  func settle() {
    guard !unsettled.isEmpty else { return }
    for descriptor in unsettled {
      var interest: EventLoop.Interest = []
      for watch in watches[descriptor] ?? [] where dbus_watch_get_enabled(watch) != 0 {
        let flags = dbus_watch_get_flags(watch)
        if flags & DBUS_WATCH_READABLE.rawValue != 0 { interest.insert(.read) }
        if flags & DBUS_WATCH_WRITABLE.rawValue != 0 { interest.insert(.write) }
      }
      // epoll tells errors and hang-ups also of a descriptor without interest, again and again.
      if interest.isEmpty {
        EventLoop.shared.unwatch(descriptor)
      } else {
        EventLoop.shared.watch(descriptor, for: interest) { [weak self] in self?.ready(descriptor, $0) }
      }
    }
    unsettled.removeAll(keepingCapacity: true)
  }

  private func ready(_ descriptor: Int32, _ events: EventLoop.Interest) {
    var conditions: UInt32 = 0
    if events.contains(.read) { conditions |= DBUS_WATCH_READABLE.rawValue }
    if events.contains(.write) { conditions |= DBUS_WATCH_WRITABLE.rawValue }
    if events.contains(.error) { conditions |= DBUS_WATCH_ERROR.rawValue }
    if events.contains(.hangUp) { conditions |= DBUS_WATCH_HANGUP.rawValue }
    for watch in watches[descriptor] ?? [] {
      // Handling one watch may have freed the next: only what is still listed may be touched.
      guard let present = watches[descriptor], present.contains(watch), dbus_watch_get_enabled(watch) != 0 else {
        continue
      }
      let always = DBUS_WATCH_ERROR.rawValue | DBUS_WATCH_HANGUP.rawValue
      let mine = conditions & (dbus_watch_get_flags(watch) | always)
      if mine != 0 { dbus_watch_handle(watch, mine) }
    }
    afterwards()
  }
}
