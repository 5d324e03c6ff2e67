// SPDX-License-Identifier: Apache-2.0

package import EventLoop
package import Store
package import XML
package import XMPP

/// Finds out what others can do: from memory, from the store, or by asking once per hash.
///
/// Only those inside the audience are asked, since a question shows that somebody is there to ask it.
@LoopActor
package final class PeerCapabilities {
  package static let limit = Duration.seconds(10)

  private var cache = CapabilitiesCache()
  private var beingLearned: [AnnouncedCapabilities.Hash: Waiters<Void>] = [:]
  private let store: AccountStore
  private let time: any TimeSource
  private let question: @LoopActor (_ to: JID, _ from: JID?, Element) async -> IQ?

  /// - Parameter question: asks somebody in the name of an address of ours, if it is inside.
  package init(
    store: AccountStore, time: any TimeSource,
    question: @escaping @LoopActor (_ to: JID, _ from: JID?, Element) async -> IQ?
  ) {
    self.store = store
    self.time = time
    self.question = question
  }

  /// What is known without asking.
  package func known(_ jid: JID, _ announced: AnnouncedCapabilities?) -> Capabilities? {
    guard let announced, let info = cache[announced.hash] else { return nil }
    return Capabilities(info, node: announced.node)
  }

  /// What `jid` can do; empty where that cannot be known or proved.
  /// - Parameter from: which address of ours asks, where there are several.
  package func learn(_ jid: JID, _ announced: AnnouncedCapabilities?, from: JID? = nil) async -> Capabilities {
    guard let announced else {
      return await ask(jid, from, node: nil).map { Capabilities($0, node: "") } ?? Capabilities()
    }
    let hash = announced.hash
    if cache[hash] == nil, let waiters = beingLearned[hash] {
      _ = await waiters.wait(waiters.take(), atMost: Self.limit)
    }
    // Whoever is asked now is another than the one who did not answer, or not truly.
    if let info = cache.use(hash) { return Capabilities(info, node: announced.node) }
    let waiters = Waiters<Void>(time: time)
    if beingLearned[hash] == nil { beingLearned[hash] = waiters }
    var info = await recall(hash)
    if info == nil { info = await asked(jid, from, announced) }
    if beingLearned[hash] === waiters { beingLearned[hash] = nil }
    waiters.resume(())
    return info.map { Capabilities($0, node: announced.node) } ?? Capabilities()
  }

  /// What the store knows. It is verified like any answer: the file may have been in others' hands.
  private func recall(_ hash: AnnouncedCapabilities.Hash) async -> DiscoInfo? {
    guard let text = await store.capabilities(algorithm: hash.algorithm, hash: hash.value) else { return nil }
    guard let query = try? Element.parse(text), let info = try? DiscoInfo(query), hash.isTrue(of: info) else {
      store.forgetCapabilities(algorithm: hash.algorithm, hash: hash.value)
      return nil
    }
    cache.insert(info, for: hash, bytes: text.utf8.count)
    return info
  }

  /// What `jid` says, should it be what was announced (XEP-0115 §5.4).
  private func asked(_ jid: JID, _ from: JID?, _ announced: AnnouncedCapabilities) async -> DiscoInfo? {
    let hash = announced.hash
    guard var info = await ask(jid, from, node: "\(announced.node)#\(hash.value)"), hash.isTrue(of: info) else {
      return nil
    }
    // The node is the asker's word, and no part of what was proved.
    info.node = nil
    let text = info.element().serialized()
    cache.insert(info, for: hash, bytes: text.utf8.count)
    store.keepCapabilities(StoredCapabilities(algorithm: hash.algorithm, hash: hash.value, info: text))
    return info
  }

  private func ask(_ jid: JID, _ from: JID?, node: String?) async -> DiscoInfo? {
    let query = Element("query", DiscoInfo.namespace, ["node": node])
    guard let result = await question(jid, from, query), result.type == .result else { return nil }
    return result.payload.first.flatMap { try? DiscoInfo($0) }
  }
}

extension AnnouncedCapabilities.Hash {
  /// Whether it is the hash of an answer.
  fileprivate func isTrue(of info: DiscoInfo) -> Bool {
    EntityCapabilities.verify(info, hash: value, algorithm: algorithm)
  }
}
