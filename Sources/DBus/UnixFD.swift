// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file descriptor that came or goes over the bus; closed when the last reference to it is gone.
public final class UnixFD: Hashable, Sendable {
  /// The descriptor. It stays this object's: do not close it, duplicate it to keep it.
  public let descriptor: Int32

  /// Takes `descriptor` over.
  public init(owning descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Whether both are the same object.
  public static func == (left: UnixFD, right: UnixFD) -> Bool { left === right }

  /// Hashes the identity.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
