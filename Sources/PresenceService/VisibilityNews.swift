// SPDX-License-Identifier: Apache-2.0

internal import Account
internal import Audience
internal import DBusInterfaces
internal import EventLoop
internal import Gateway

/// The properties of Visibility as they were last told, so that each change of theirs is told once, and together with
/// those that came with it.
struct VisibilityNews {
  private var mechanism: Mechanism
  private var supported: [Mechanism]
  private var degraded: [String]
  private var isPending: Bool
  private var wish: VisibilityWish

  @LoopActor init(_ client: Account) {
    mechanism = client.mechanism
    supported = client.supported
    degraded = client.degraded.map(\.rawValue)
    isPending = client.isVisibilityPending
    wish = client.wanted
  }

  @LoopActor init(_ client: GatewayAccount) {
    mechanism = client.mechanism
    supported = client.supported
    degraded = client.degradations
    isPending = false
    wish = client.wanted
  }

  /// Takes note of what is now.
  /// - Returns: what is new in it.
  mutating func update(to new: VisibilityNews) -> Set<VisibilityEmitter.Property> {
    let old = self
    self = new
    var changed: Set<VisibilityEmitter.Property> = []
    if wish.mode != old.wish.mode { changed.insert(.mode) }
    if wish.contacts != old.wish.contacts || wish.groups != old.wish.groups || wish.withheld != old.wish.withheld {
      changed.insert(.contacts)
    }
    if mechanism != old.mechanism { changed.insert(.mechanism) }
    if supported != old.supported { changed.insert(.supported) }
    if degraded != old.degraded { changed.insert(.degraded) }
    if isPending != old.isPending { changed.insert(.pending) }
    return changed
  }
}
