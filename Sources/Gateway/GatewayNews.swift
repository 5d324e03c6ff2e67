// SPDX-License-Identifier: Apache-2.0

internal import Audience

/// How much is told of what strangers can make happen as often as they like: some at once, and then some with each second.
/// All of it is in the lists.
struct GatewayNews {
  private var ends = AnnouncementBucket()
  private var subscribers = AnnouncementBucket()
  private var requests = AnnouncementBucket()
  /// Who has a session in which a program of the person's has a part: as many as there can be sessions.
  private var followed: Set<GatewaySubscription> = []

  /// How many are followed.
  var followedCount: Int { followed.count }

  /// A program has a part in a session that there is: its end is told, whatever else ends beside it.
  mutating func follow(_ pair: GatewaySubscription) { followed.insert(pair) }

  /// Whether the end of a session is told.
  mutating func tellsEnd(of pair: GatewaySubscription, _ direction: SessionDirection, _ now: Instant) -> Bool {
    let isFollowed = direction == .theySeeMe ? followed.remove(pair) != nil : followed.contains(pair)
    return isFollowed || Self.take(&ends, now)
  }

  /// Whether it is told that somebody has subscribed, or is subscribed no longer.
  mutating func tellsSubscriber(_ now: Instant) -> Bool { Self.take(&subscribers, now) }

  /// Whether it is told that somebody asks for a subscription.
  mutating func tellsSubscriptionRequest(_ now: Instant) -> Bool { Self.take(&requests, now) }

  private static func take(_ bucket: inout AnnouncementBucket, _ now: Instant) -> Bool {
    guard bucket.hasOne(now) else { return false }
    bucket.take(now)
    return true
  }
}
