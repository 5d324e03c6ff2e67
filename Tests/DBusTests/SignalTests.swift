// SPDX-License-Identifier: Apache-2.0

import DBusInterfaces
import EventLoop
import Testing

@testable import DBus

@Suite("Signals")
struct SignalTests {
  init() { EventLoop.runInBackground() }

  @Test("A typed signal arrives with its arguments until the match is cancelled")
  @LoopActor func typed() async throws {
    let scene = try await Scene()
    let emitter = EverythingEmitter(scene.server, scene.path)
    var seen: [String] = []
    let match = try await scene.proxy.onHappened { what, details in seen.append("\(what) \(details)") }
    var quiet = 0
    _ = try await scene.proxy.onQuiet { quiet += 1 }
    emitter.happened(what: "first", details: ["n": .uint32(1)])
    emitter.quiet()
    try await scene.fence()
    #expect(seen == ["first \(["n": Value.uint32(1)])"])
    #expect(quiet == 1)
    match.cancel()
    emitter.happened(what: "second", details: [:])
    emitter.quiet()
    try await scene.fence()
    #expect(seen.count == 1 && quiet == 2)
    scene.close()
  }

  @Test("Each change is told as the property's annotation says")
  @LoopActor func propertiesChanged() async throws {
    let scene = try await Scene()
    var seen: [([String: Value], [String])] = []
    _ = try await scene.proxy.onPropertiesChanged { seen.append(($0, $1)) }
    // Version (const) and Noise (false) are not among the properties that can be named at all.
    #expect(Set(EverythingEmitter.Property.allCases) == [.level, .items])
    EverythingEmitter(scene.server, scene.path).propertiesChanged([.level, .items], of: scene.everything)
    scene.server.propertiesChanged(scene.path, EverythingSkeleton(scene.everything), [2, 3, 4, 99])
    try await scene.fence()
    #expect(seen.count == 1)
    #expect(seen.first?.0 == ["Level": "low"])
    #expect(seen.first?.1 == ["Items"])
    scene.close()
  }

  @Test("A signal for one goes to nobody else, also not to who has a match for it")
  @LoopActor func unicast() async throws {
    let scene = try await Scene()
    let other = try await BusConnection.open(scene.bus.address)
    var mine = 0
    var others = 0
    _ = try await scene.proxy.onQuiet { mine += 1 }
    _ = try await EverythingProxy(other, "org.nightcloak.Test1", scene.path).onQuiet { others += 1 }
    scene.policy.answer = .only([scene.client.uniqueName])
    EverythingEmitter(scene.server, scene.path).quiet()
    scene.policy.answer = .only([])
    EverythingEmitter(scene.server, scene.path).quiet()
    try await scene.fence()
    _ = try await other.call("org.nightcloak.Test1", "/", "org.freedesktop.DBus.Peer", "Ping")
    #expect(mine == 1 && others == 0)
    scene.policy.answer = .everyone
    EverythingEmitter(scene.server, scene.path).quiet()
    _ = try await other.call("org.nightcloak.Test1", "/", "org.freedesktop.DBus.Peer", "Ping")
    #expect(others == 1)
    other.close()
    scene.close()
  }

  @Test("A signal that is addressed to somebody is sent to nobody else, though the policy is to tell everybody")
  @LoopActor func addressed() async throws {
    let scene = try await Scene()
    let other = try await BusConnection.open(scene.bus.address)
    var mine = 0
    var others = 0
    _ = try await scene.proxy.onQuiet { mine += 1 }
    _ = try await EverythingProxy(other, "org.nightcloak.Test1", scene.path).onQuiet { others += 1 }
    scene.policy.answer = .everyone
    EverythingEmitter(scene.server, scene.path, to: [scene.client.uniqueName]).quiet()
    EverythingEmitter(scene.server, scene.path, to: []).quiet()
    try await scene.fence()
    _ = try await other.call("org.nightcloak.Test1", "/", "org.freedesktop.DBus.Peer", "Ping")
    #expect(mine == 1 && others == 0)
    other.close()
    scene.close()
  }

  @Test("Every signal, also of the standard interfaces, asks the policy and says what it is about")
  @LoopActor func policy() async throws {
    let scene = try await Scene()
    let object = try #require(scene.tree.objects[scene.path])
    EverythingEmitter(scene.server, scene.path).quiet()
    EverythingEmitter(scene.server, scene.path).propertiesChanged([.level], of: scene.everything)
    scene.server.objectAdded(object, manager: "/m")
    scene.server.objectRemoved(object, manager: "/m")
    #expect(scene.policy.asked.map(\.member) == ["Quiet", "PropertiesChanged", "InterfacesAdded", "InterfacesRemoved"])
    #expect(scene.policy.asked.map(\.concerns) == [EverythingProxy.interface, EverythingProxy.interface, nil, nil])
    #expect(scene.policy.asked.map(\.object) == [scene.path, scene.path, scene.path, scene.path])
    #expect(scene.policy.asked.map(\.path) == [scene.path, scene.path, "/m", "/m"])
    scene.close()
  }

  @Test("An object that comes or goes is told with its interfaces and properties")
  @LoopActor func objects() async throws {
    let scene = try await Scene()
    var seen: [[Value]] = []
    _ = try await scene.client.match(SignalFilter(sender: "org.nightcloak.Test1", path: "/m")) { signal in
      seen.append((try? signal.values()) ?? [])
    }
    let object = try #require(scene.tree.objects[scene.path])
    scene.server.objectAdded(object, manager: "/m")
    scene.server.objectRemoved(object, manager: "/m")
    try await scene.fence()
    #expect(seen.count == 2)
    #expect(seen.first?.first == .objectPath(scene.path))
    let interfaces = seen.first?.last?.as([String: [String: Value]].self)
    #expect(interfaces?[EverythingProxy.interface]?["Version"] == "1.2")
    #expect(seen.last == [.objectPath(scene.path), [EverythingProxy.interface].value])
    scene.close()
  }

  @Test("A signal that somebody else sends in the name of the service is not believed")
  @LoopActor func forged() async throws {
    let scene = try await Scene()
    let forger = try await BusConnection.open(scene.bus.address)
    let tree = Tree()
    let policy = Policy()
    policy.answer = .only([scene.client.uniqueName])
    let forgery = ObjectServer(forger, tree: tree, policy: policy)
    var seen = 0
    _ = try await scene.proxy.onQuiet { seen += 1 }
    var heard = 0
    _ = try await scene.client.match(SignalFilter(sender: forger.uniqueName)) { _ in heard += 1 }
    EverythingEmitter(forgery, scene.path).quiet()
    _ = try await scene.client.call(forger.uniqueName, "/", "org.freedesktop.DBus.Peer", "Ping")
    #expect(heard == 1, "it did arrive")
    #expect(seen == 0)
    // The name's new owner is believed at once, its old one no more.
    try await scene.service.releaseName("org.nightcloak.Test1")
    try await forger.requestName("org.nightcloak.Test1")
    EverythingEmitter(forgery, scene.path).quiet()
    scene.policy.answer = .only([scene.client.uniqueName])
    EverythingEmitter(scene.server, scene.path).quiet()
    _ = try await scene.client.call(forger.uniqueName, "/", "org.freedesktop.DBus.Peer", "Ping")
    _ = try await scene.client.call(scene.service.uniqueName, "/", "org.freedesktop.DBus.Peer", "Ping")
    #expect(seen == 1)
    forger.close()
    scene.close()
  }

  @Test("A signal with other arguments than the XML says does not reach the handler")
  @LoopActor func otherArguments() async throws {
    let scene = try await Scene()
    _ = try await scene.proxy.onHappened { _, _ in Issue.record("It has no arguments") }
    scene.server.emit(scene.path, EverythingProxy.interface, "Happened") { _ in }
    try await scene.fence()
    scene.close()
  }

  @Test("A signal that cannot be carried goes to the fault handler")
  @LoopActor func fault() async throws {
    let scene = try await Scene()
    var faults: [DBusError.Name] = []
    scene.server.onFault = { faults.append($0.name) }
    EverythingEmitter(scene.server, scene.path).happened(what: "a\0b", details: [:])
    scene.policy.answer = .only(["not a name"])
    EverythingEmitter(scene.server, scene.path).quiet()
    #expect(faults == [.invalidArgs, .invalidArgs])
    try await scene.proxy.ping()
    scene.close()
  }
}
