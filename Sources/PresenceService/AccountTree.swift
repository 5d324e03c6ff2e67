// SPDX-License-Identifier: Apache-2.0

internal import DBus
internal import EventLoop

/// Which objects there are, for whom. Every uid sees its own subtree and nothing of the others'; root sees all.
@LoopActor
final class AccountTree: ObjectTree {
  var manager: ExportedObject?
  private var byPath: [ObjectPath: any ConnectionObject] = [:]
  private var byOwner: [UInt32: [ObjectPath: any ConnectionObject]] = [:]

  var all: [any ConnectionObject] { Array(byPath.values) }

  func of(_ uid: UInt32) -> [any ConnectionObject] { byOwner[uid].map { Array($0.values) } ?? [] }

  func insert(_ object: any ConnectionObject) {
    byPath[object.path] = object
    byOwner[object.owner, default: [:]][object.path] = object
  }

  /// - Returns: whether it was still there.
  func remove(_ object: any ConnectionObject) -> Bool {
    guard byPath[object.path] === object else { return false }
    byPath[object.path] = nil
    byOwner[object.owner]?[object.path] = nil
    if byOwner[object.owner]?.isEmpty == true { byOwner[object.owner] = nil }
    return true
  }

  /// The account at `path`, if `caller` may know of it.
  func account(at path: ObjectPath, for caller: Caller) -> (any ConnectionObject)? {
    guard let object = byPath[path], caller.uid == object.owner || caller.uid == 0 else { return nil }
    return object
  }

  /// The owner of the account at `path`, whoever asks; for signals.
  func owner(of path: ObjectPath) -> UInt32? { byPath[path]?.owner }

  // MARK: ObjectTree

  func object(at path: ObjectPath, for caller: Caller) -> ExportedObject? {
    if path == ObjectPaths.manager { return manager }
    return account(at: path, for: caller)?.exported
  }

  func children(of path: ObjectPath, for caller: Caller) -> [String] {
    switch path.text {
    case "/": ["org"]
    case "/org": ["nightcloak"]
    case "/org/nightcloak": ["Presence1"]
    case ObjectPaths.manager.text: uids(for: caller).map { "u\($0)" }
    default:
      (managedObjects(under: path, for: caller) ?? []).compactMap { object in
        object.path.text.split(separator: "/").last.map(String.init)
      }
    }
  }

  func managedObjects(under path: ObjectPath, for caller: Caller) -> [ExportedObject]? {
    guard let uid = uids(for: caller).first(where: { ObjectPaths.subtree($0) == path.text }) else { return nil }
    return of(uid).sorted { $0.path < $1.path }.map(\.exported)
  }

  private func uids(for caller: Caller) -> [UInt32] {
    guard caller.uid == 0 else { return [caller.uid] }
    return Set(byOwner.keys).union([0]).sorted()
  }
}
