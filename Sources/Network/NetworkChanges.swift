// SPDX-License-Identifier: Apache-2.0

internal import CLinux
public import EventLoop
internal import Glibc

/// Tells when the machine's network has changed: addresses, routes, links that come and go.
///
/// Nothing is asked and nobody is polled: the kernel says it (rtnetlink(7)). It costs no wake-up while all stays as it is.
@LoopActor
public final class NetworkChanges {
  /// How long changes are gathered before they are told: one network that comes up makes a dozen of them.
  public static let delay = Duration.milliseconds(500)
  /// More datagrams are not read before others have their turn.
  private static let datagramsPerTurn = 64

  private let descriptor: Int32
  private let time: any TimeSource
  private let onChange: @LoopActor () -> Void
  private var filter = NetworkChangeFilter()
  private var timer: TimerToken?

  /// Begins to listen.
  /// - Parameters:
  ///   - time: the clock of the delay.
  ///   - onChange: told of changes, ``delay`` after the first of them.
  /// - Returns: nil where the kernel does not let us; then nothing is told.
  public convenience init?(time: any TimeSource, onChange: @escaping @LoopActor () -> Void) {
    let descriptor = linux_open_netlink()
    guard descriptor >= 0 else { return nil }
    self.init(descriptor: descriptor, time: time, onChange: onChange)
  }

  /// Listens on a descriptor that is its own from here on.
  init(descriptor: Int32, time: any TimeSource, onChange: @escaping @LoopActor () -> Void) {
    self.descriptor = descriptor
    self.time = time
    self.onChange = onChange
    EventLoop.shared.watch(descriptor, for: .read) { [weak self] _ in self?.read() }
  }

  isolated deinit {
    EventLoop.shared.unwatch(descriptor)
    close(descriptor)
    if let timer { time.cancel(timer) }
  }

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    for _ in 0..<Self.datagramsPerTurn {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == ENOBUFS {
        // There was more than the kernel could keep for us.
        changed()
        continue
      }
      guard count > 0 else { return }
      if buffer.withUnsafeBytes({ filter.received(UnsafeRawBufferPointer(rebasing: $0[..<count])) }) { changed() }
    }
  }

  private func changed() {
    guard timer == nil else { return }
    timer = time.schedule(after: Self.delay) { [weak self] in
      self?.timer = nil
      self?.onChange()
    }
  }
}
