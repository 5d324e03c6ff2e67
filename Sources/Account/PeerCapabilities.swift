// SPDX-License-Identifier: Apache-2.0

internal import Audience
internal import EventLoop
internal import XML
internal import XMPP

/// Finds out what others can do: from the cache, or by asking once per hash.
///
/// Only those inside the audience are asked, since a question shows that somebody is there to ask it.
@LoopActor
final class PeerCapabilities {
  private static let limit = Duration.seconds(10)

  private var cache = CapabilitiesCache()
  private var beingAsked: [AnnouncedCapabilities.Hash: Waiters<Void>] = [:]
  private let requests: IQRequests
  private let doorkeeper: Doorkeeper
  private let time: any TimeSource

  init(requests: IQRequests, doorkeeper: Doorkeeper, time: any TimeSource) {
    self.requests = requests
    self.doorkeeper = doorkeeper
    self.time = time
  }

  /// What is known without asking.
  func known(_ jid: JID, _ announced: AnnouncedCapabilities?) -> Capabilities? {
    guard let announced, let info = cache[announced.hash] else { return nil }
    return Capabilities(info, node: announced.node)
  }

  /// What `jid` can do; empty where that cannot be known or proved.
  func learn(_ jid: JID, _ announced: AnnouncedCapabilities?) async -> Capabilities {
    guard let announced else { return await ask(jid, node: nil).map { Capabilities($0, node: "") } ?? Capabilities() }
    let hash = announced.hash
    if cache[hash] == nil, let waiters = beingAsked[hash] {
      _ = await waiters.wait(waiters.take(), atMost: Self.limit)
    }
    if cache[hash] == nil {
      let waiters = Waiters<Void>(time: time)
      if beingAsked[hash] == nil { beingAsked[hash] = waiters }
      if let info = await ask(jid, node: "\(announced.node)#\(hash.value)"),
        EntityCapabilities.verify(info, hash: hash.value, algorithm: hash.algorithm)
      {
        cache.insert(info, for: hash)
      }
      if beingAsked[hash] === waiters { beingAsked[hash] = nil }
      waiters.resume(())
    }
    return known(jid, announced) ?? Capabilities()
  }

  private func ask(_ jid: JID, node: String?) async -> DiscoInfo? {
    guard doorkeeper.audience.contains(Address(jid)) else { return nil }
    let query = Element("query", DiscoInfo.namespace, ["node": node])
    guard let result = try? await requests.send(.get, to: jid, payload: query, limit: Self.limit) else { return nil }
    return result.payload.first.flatMap { try? DiscoInfo($0) }
  }
}
