// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

// Capabilities, in line with the rosters.

extension RosterQueue {
  /// How many may wait to be written.
  nonisolated static let mostWaitingCapabilities = 64

  /// What was kept for a hash, with everything that was queued before.
  func capabilities(_ algorithm: String, _ hash: String) async -> String? {
    let answer = Answer<String>()
    await queue { [self] in
      let outcome = await offLoop { [cache] in
        Result { () throws(StoreError) in try cache.capabilities(algorithm, hash) }
      }
      switch outcome {
      case .success(let found): answer.value = found
      case .failure(let failure): onFault(failure)
      }
    }.value
    return answer.value
  }

  /// Writes it when it is its turn.
  func keep(_ new: StoredCapabilities) {
    guard waitingCapabilities.count < Self.mostWaitingCapabilities else { return }
    waitingCapabilities.append(new)
    guard waitingCapabilities.count == 1 else { return }
    queue { [self] in
      let batch = waitingCapabilities
      waitingCapabilities = []
      await attempt { cache throws(StoreError) in try cache.keep(batch) }
    }
  }

  func forgetCapabilities(_ algorithm: String, _ hash: String) {
    queue { [self] in
      await attempt { cache throws(StoreError) in try cache.forgetCapabilities(algorithm, hash) }
    }
  }

  private func attempt(_ work: @escaping @Sendable (RosterCache) throws(StoreError) -> Void) async {
    let outcome = await offLoop { [cache] in Result { () throws(StoreError) in try work(cache) } }
    if case .failure(let failure) = outcome { onFault(failure) }
  }
}
