// SPDX-License-Identifier: Apache-2.0

internal import XML

/// Messages that wait for an account to come online (RFC 6121 §8.5.2.2).
struct OfflineMessages {
  private(set) var messages: [Element] = []
  private var bytes = 0

  /// Keeps a message.
  /// - Returns: whether there was room for it.
  mutating func keep(_ message: Element, _ limits: LoopbackLimits) -> Bool {
    let size = message.storedBytes
    guard messages.count < limits.offlineMessages, bytes + size <= limits.offlineBytes else { return false }
    messages.append(message)
    bytes += size
    return true
  }

  /// All of them, which are then here no longer.
  mutating func take() -> [Element] {
    defer { self = OfflineMessages() }
    return messages
  }
}
