// SPDX-License-Identifier: Apache-2.0

import CWitness
import DBusInterfaces
import EventLoop
import Glibc
import Testing

@testable import DBus

@Suite("Objects on the bus")
struct ServerTests {
  init() { EventLoop.runInBackground() }

  private static let interface = EverythingProxy.interface
  private static let properties = "org.freedesktop.DBus.Properties"

  @Test("All types go there and back through a typed method")
  @LoopActor func typed() async throws {
    let scene = try await Scene()
    let pairs = [Structure("a", UInt32(1)), Structure("", UInt32.max)]
    let list: [[String: Value]] = [["Count": .uint32(3)], [:], ["Names": ["x"].value]]
    let answer = try await scene.proxy.echoTyped(
      y: 7, b: true, t: .max, path: "/a/b", names: ["ä", ""], rules: ["@a": "deny"], list: list, pairs: pairs)
    #expect(answer.outY == 7 && answer.outB && answer.outT == .max && answer.outPath == "/a/b")
    #expect(answer.outNames == ["ä", ""] && answer.outRules == ["@a": "deny"] && answer.outList == list)
    #expect(answer.outPairs.map(\.fields.0) == ["a", ""])
    #expect(answer.outPairs.map(\.fields.1) == [1, .max])
    scene.close()
  }

  @Test("A file descriptor goes there and back")
  @LoopActor func descriptor() async throws {
    let scene = try await Scene()
    var ends: [Int32] = [0, 0]
    #expect(witness_pipe(&ends) == 0)
    defer { close(ends[0]) }
    let back = try await scene.proxy.passFD(file: UnixFD(owning: ends[1]))
    var byte: UInt8 = 5
    #expect(write(back.descriptor, &byte, 1) == 1 && read(ends[0], &byte, 1) == 1)
    scene.close()
  }

  @Test("Values nested as deep as D-Bus allows are echoed; deeper ones never leave")
  @LoopActor func depth() async throws {
    let scene = try await Scene()
    // Echo's own variant is one of the 64.
    let deep = (0..<63).reduce(Value.byte(1)) { value, _ in .variant(value) }
    #expect(try await scene.proxy.echo(value: deep) == deep)
    do {
      _ = try await scene.proxy.echo(value: .variant(deep))
      Issue.record("It was sent")
    } catch {
      #expect(error.name == .limitsExceeded)
    }
    #expect(try await scene.proxy.echo(value: "alive") == "alive")
    scene.close()
  }

  @Test("An answer larger than 8 MiB is an error that says what to do, and the connection lives on")
  @LoopActor func size() async throws {
    let scene = try await Scene()
    #expect(try await scene.proxy.fill(bytes: 8_000_000).utf8.count == 8_000_000)
    let error = await scene.error(Self.interface, "Fill", [.uint32(9_000_000)])
    #expect(error?.name == .limitsExceeded)
    #expect(error?.message.contains("limit") == true)
    try await scene.proxy.ping()
    scene.close()
  }

  @Test("Errors arrive with the name and the text they were thrown with; other errors as Failed; bad names too")
  @LoopActor func errors() async throws {
    let scene = try await Scene()
    let mine = await scene.error(
      Self.interface, "Fail", ["org.nightcloak.Presence1.Error.NotConnected", "Connect first"])
    #expect(mine == DBusError("org.nightcloak.Presence1.Error.NotConnected", "Connect first"))
    let bad = await scene.error(Self.interface, "Fail", ["no name at all", "text"])
    #expect(bad == DBusError(.failed, "text"))
    scene.close()
  }

  @Test("What is wrong with a call is said in the text")
  @LoopActor func texts() async throws {
    let scene = try await Scene()
    let types = await scene.error(Self.interface, "Fail", ["a", .uint32(1)])
    #expect(types?.name == .invalidArgs)
    #expect(types?.message == "Fail(name s, text s) takes arguments of type ss, not su")
    let few = await scene.error(Self.interface, "Fail")
    #expect(few?.message == "Fail(name s, text s) takes arguments of type ss, not nothing")
    let many = await scene.error(Self.interface, "Ping", [true])
    #expect(many?.message == "Ping() takes arguments of type nothing, not b")
    let method = await scene.error(Self.interface, "Pong")
    #expect(method?.name == .unknownMethod)
    #expect(method?.message.contains("\(Self.interface) has no method Pong; it has Echo, EchoTyped") == true)
    let interface = await scene.error("a.b", "C")
    #expect(interface?.name == .unknownInterface)
    #expect(interface?.message.contains("has no interface a.b; it has \(Self.interface)") == true)
    let get = await scene.error(Self.properties, "Get", ["x"])
    #expect(get?.message == "Get(interface_name s, property_name s) takes arguments of type ss, not s")
    scene.close()
  }

  @Test("Properties are read and set, and every mistake has its error")
  @LoopActor func properties() async throws {
    let scene = try await Scene()
    #expect(try await scene.proxy.level == "low")
    try await scene.proxy.setLevel("high")
    #expect(scene.everything.level == "high")
    try await scene.proxy.setSecret("hush")
    #expect(scene.everything.secret == "hush")
    #expect(try await scene.proxy.items == ["one", "two"])
    func expect(_ name: DBusError.Name, _ part: String, _ member: String, _ arguments: [Value]) async {
      let error = await scene.error(Self.properties, member, arguments)
      #expect(error?.name == name)
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "no error")")
    }
    let mine = Value.string(Self.interface)
    await expect(.unknownProperty, "has no property \"Colour\"; it has Level, Items", "Get", [mine, "Colour"])
    await expect(.unknownProperty, "has no property \"Colour\"", "Set", [mine, "Colour", .variant("x")])
    await expect(.unknownInterface, "has no interface \"a.b\"", "Get", ["a.b", "Level"])
    await expect(.unknownInterface, "has no interface \"a.b\"", "GetAll", ["a.b"])
    await expect(.propertyReadOnly, "Items", "Set", [mine, "Items", .variant(["x"].value)])
    await expect(.invalidArgs, "Level is of type s, not u", "Set", [mine, "Level", .variant(.uint32(1))])
    await expect(.invalidArgs, "Level is low or high, not medium", "Set", [mine, "Level", .variant("medium")])
    await expect(.accessDenied, "Secret", "Get", [mine, "Secret"])
    await expect(.unknownProperty, "it has none", "Get", [.string(Self.properties), "Level"])
    #expect(try await scene.call(Self.properties, "Get", ["", "Level"]) == [.variant("high")])
    scene.close()
  }

  @Test("GetAll gives what can be read, and tells the policy that the caller relies on it")
  @LoopActor func getAll() async throws {
    let scene = try await Scene()
    let all = try await scene.call(Self.properties, "GetAll", [.string(Self.interface)]).first?.as([String: Value].self)
    #expect(all == ["Level": "low", "Items": ["one", "two"].value, "Version": "1.2", "Noise": .uint32(7)])
    #expect(scene.policy.reads == ["\(scene.path) object \(scene.client.uniqueName)"])
    #expect(try await scene.call(Self.properties, "GetAll", [""]).first?.as([String: Value].self) == all)
    let standard = try await scene.call(Self.properties, "GetAll", ["org.freedesktop.DBus.Peer"])
    #expect(standard.first?.as([String: Value].self) == [:])
    scene.close()
  }

  @Test("Introspect gives the XML with its comments, and the children that lead to objects")
  @LoopActor func introspect() async throws {
    let scene = try await Scene()
    _ = scene.tree.add("/org/nightcloak/Test1/b/c", scene.everything)
    func xml(_ path: ObjectPath) async throws -> String {
      try #require(
        try await scene.call("org.freedesktop.DBus.Introspectable", "Introspect", at: path).first?.as(String.self))
    }
    let own = try await xml(scene.path)
    #expect(own.contains(EverythingSkeleton.interface.xml))
    #expect(own.contains("<!-- Has a bit of everything. -->") && own.contains("org.freedesktop.DBus.Properties"))
    #expect(try await xml("/").contains("<node name=\"org\"/>"))
    let above = try await xml("/org/nightcloak/Test1")
    #expect(above.contains("<node name=\"a\"/>\n  <node name=\"b\"/>") && !above.contains("Everything"))
    scene.close()
  }

  @Test("The object manager lists what is below it, and its caller is interested in all of that")
  @LoopActor func managedObjects() async throws {
    let scene = try await Scene()
    let manager = "org.freedesktop.DBus.ObjectManager"
    scene.tree.managers = ["/org/nightcloak/Test1"]
    let reply = try await scene.call(manager, "GetManagedObjects", at: "/org/nightcloak/Test1")
    let objects = try #require(reply.first?.as([ObjectPath: [String: [String: Value]]].self))
    #expect(Array(objects.keys) == [scene.path])
    #expect(objects[scene.path]?[Self.interface]?["Level"] == "low")
    #expect(scene.policy.reads == ["/org/nightcloak/Test1 subtree \(scene.client.uniqueName)"])
    #expect(await scene.error(manager, "GetManagedObjects")?.name == .unknownInterface)
    scene.close()
  }

  @Test("A call without an interface goes to the first that has the method")
  @LoopActor func noInterface() async throws {
    let scene = try await Scene()
    for member in ["Ping", "Introspect", "Pong"] {
      let message = try Message.call("org.nightcloak.Test1", scene.path, "a.b", member)
      // Taken out again, which the typed calls never do.
      message.removeInterface()
      let result = await withCheckedContinuation { continuation in
        scene.client.send(message, timeout: .seconds(5)) { continuation.resume(returning: $0) }
      }
      switch result {
      case .success: #expect(member != "Pong")
      case .failure(let error): #expect(member == "Pong" && error.name == .unknownMethod)
      }
    }
    #expect(scene.everything.pings == 1)
    scene.close()
  }

  @Test("A caller may have many calls in the works, but not without end; others are not affected")
  @LoopActor func inProgress() async throws {
    let scene = try await Scene()
    try await scene.proxy.ping()
    for index in 0..<Limits.callsInProgress {
      spawn { #expect((try? await scene.proxy.wait(token: "\(index)")) == "\(index)") }
    }
    let error = await scene.error(Self.interface, "Wait", ["one more"])
    #expect(error?.name == .limitsExceeded)
    let other = try await BusConnection.open(scene.bus.address)
    try await EverythingProxy(other, "org.nightcloak.Test1", scene.path).ping()
    for index in 0..<Limits.callsInProgress { scene.everything.release("\(index)") }
    try await scene.fence()
    try await scene.proxy.ping()
    other.close()
    scene.close()
  }

  @Test("A caller whom the bus has not named yet may have 64 calls wait for it, and gets errors for more")
  @LoopActor func awaitingCredentials() async throws {
    let scene = try await Scene()
    let outcomes = await withTaskGroup(of: DBusError.Name?.self) { group in
      for _ in 0..<100 { group.addTask { await scene.error(Self.interface, "Ping")?.name } }
      var outcomes: [DBusError.Name?] = []
      for await outcome in group { outcomes.append(outcome) }
      return outcomes
    }
    let refused = outcomes.filter { $0 == .limitsExceeded }.count
    #expect(refused + scene.everything.pings == 100)
    #expect(scene.everything.pings >= Limits.callsAwaitingCredentials)
    try await scene.proxy.ping()
    scene.close()
  }
}
