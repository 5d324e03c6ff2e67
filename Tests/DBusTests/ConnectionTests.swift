// SPDX-License-Identifier: Apache-2.0

import DBusInterfaces
import EventLoop
import Glibc
import Testing

@testable import DBus

@Suite("A connection to a bus")
struct ConnectionTests {
  init() { EventLoop.runInBackground() }

  @Test(
    "An address that leads nowhere is an error that names it",
    arguments: ["", "nonsense", "unix:path=/nonexistent/bus", "unix:path=/nonexistent\0/bus", "warp:speed=9"])
  @LoopActor func badAddress(_ address: String) async {
    do {
      _ = try await BusConnection.open(.address(address))
      Issue.record("It was opened")
    } catch {
      #expect(error.name.text.hasPrefix("org.freedesktop.DBus.Error."))
      #expect(error.message.contains("bus"))
    }
  }

  @Test("A name that is taken is refused with who has it, and is free again when they leave")
  @LoopActor func nameTaken() async throws {
    let bus = try PrivateBus()
    let first = try await BusConnection.open(bus.address)
    let second = try await BusConnection.open(bus.address)
    try await first.requestName("org.nightcloak.Test1")
    try await first.requestName("org.nightcloak.Test1")
    do {
      try await second.requestName("org.nightcloak.Test1")
      Issue.record("It was given twice")
    } catch {
      #expect(error.name == .addressInUse)
      #expect(error.message.contains(first.uniqueName) && error.message.contains("org.nightcloak.Test1"))
    }
    try await first.releaseName("org.nightcloak.Test1")
    // Not queued: it is nobody's now.
    let owned = try await second.callBus("NameHasOwner", ["org.nightcloak.Test1"]).read(Bool.self)
    #expect(!owned)
    try await second.requestName("org.nightcloak.Test1")
    first.close()
    second.close()
  }

  @Test("Garbage in place of names is thrown, and the connection lives on")
  @LoopActor func garbage() async throws {
    let bus = try PrivateBus()
    let connection = try await BusConnection.open(bus.address)
    for text in ["", "not a name", "\0", "ä.ö", "a..b", String(repeating: "x", count: 300)] {
      await #expect(throws: DBusError.self) { try await connection.requestName(text) }
      await #expect(throws: DBusError.self) { try await connection.releaseName(text) }
      await #expect(throws: DBusError.self) { _ = try await connection.call(text, "/", "a.b", "C") as [Value] }
      await #expect(throws: DBusError.self) { _ = try await connection.call("a.b", "/", text, "C") as [Value] }
      await #expect(throws: DBusError.self) { _ = try await connection.call("a.b", "/", "a.b", text) as [Value] }
      await #expect(throws: DBusError.self) { _ = try await connection.match(SignalFilter(sender: text)) { _ in } }
      await #expect(throws: DBusError.self) { _ = try await connection.match(SignalFilter(member: text)) { _ in } }
    }
    await #expect(throws: DBusError.self) {
      _ = try await connection.match(SignalFilter(firstArgument: "',eavesdrop='true")) { _ in }
    }
    #expect(try await connection.callBus("GetId").read(String.self).count == 32)
    connection.close()
  }

  @Test("A call to nobody fails by name; one that is not answered fails after its time")
  @LoopActor func timeout() async throws {
    let scene = try await Scene()
    do {
      _ = try await scene.client.call("org.nightcloak.Nobody", "/", "a.b", "C") as [Value]
      Issue.record("It was answered")
    } catch {
      #expect(error.name == .serviceUnknown)
    }
    do {
      _ = try await scene.proxy.wait(token: "a", timeout: .milliseconds(20))
      Issue.record("It was answered")
    } catch {
      #expect(error.name == .noReply)
    }
    // The late answer goes nowhere, and another call gets its own.
    async let second = scene.proxy.wait(token: "b")
    try await scene.fence()
    scene.everything.release("a")
    scene.everything.release("b")
    #expect(try await second == "b")
    scene.close()
  }

  @Test("Who is calling is asked of the bus once and forgotten when they leave")
  @LoopActor func credentials() async throws {
    let scene = try await Scene()
    let name = scene.client.uniqueName
    #expect(scene.service.senders.cached(name) == nil)
    try await scene.proxy.ping()
    try await scene.proxy.ping()
    let caller = try #require(scene.service.senders.cached(name))
    #expect(caller == Caller(name: name, uid: getuid(), pid: UInt32(getpid())))
    #expect(scene.everything.callers == [caller, caller])
    #expect(try await scene.service.caller(name) == caller)
    let left = await withCheckedContinuation { continuation in
      scene.service.whenSenderLeaves { continuation.resume(returning: $0) }
      scene.client.close()
    }
    #expect(left == name)
    #expect(scene.service.senders.cached(name) == nil)
    do {
      _ = try await scene.service.caller(name)
      Issue.record("It was found")
    } catch {
      #expect(error.name == .nameHasNoOwner)
    }
    scene.service.close()
  }

  @Test("Calls of an unknown caller are answered in the order in which they came")
  @LoopActor func order() async throws {
    let scene = try await Scene()
    let levels = await withCheckedContinuation { (done: CheckedContinuation<[String], Never>) in
      var levels: [String] = []
      for index in 0..<40 {
        do {
          let message = try Message.call("org.nightcloak.Test1", scene.path, EverythingProxy.interface, "Echo")
          var writer = Writer(message.pointer)
          try writer.write(Value.string("\(index)"))
          scene.client.send(message, timeout: .seconds(5)) { result in
            levels.append((try? result.get().readVariant(String.self)) ?? "?")
            if levels.count == 40 { done.resume(returning: levels) }
          }
        } catch {
          Issue.record(error)
        }
      }
    }
    #expect(levels == (0..<40).map(String.init))
    scene.close()
  }

  @Test("The bus going away is told once, and whoever waits for an answer is told so")
  @LoopActor func busGoesAway() async throws {
    let scene = try await Scene()
    var told = 0
    let reason = await withCheckedContinuation { (gone: CheckedContinuation<DBusError, Never>) in
      scene.service.onDisconnected = { reason in
        told += 1
        gone.resume(returning: reason)
      }
      spawn {
        do {
          _ = try await scene.proxy.wait(token: "never")
          Issue.record("It was answered")
        } catch {
          #expect((error as? DBusError)?.name == .disconnected)
        }
      }
      scene.bus.stop()
    }
    #expect(reason.name == .disconnected)
    #expect(!scene.service.isOpen)
    do {
      try await scene.service.requestName("a.b")
      Issue.record("There is no bus")
    } catch {
      #expect(error.name == .disconnected)
    }
    EverythingEmitter(scene.server, scene.path).quiet()
    scene.service.close()
    // The client has its own end; after both nothing more may be told.
    await eventually { !scene.client.isOpen }
    await EventLoop.shared.time.wait(for: .zero)
    #expect(told == 1)
    scene.everything.release("never")
  }

  @Test("A connection that was closed is not told of, and can be closed again")
  @LoopActor func closing() async throws {
    let bus = try PrivateBus()
    weak var gone: BusConnection?
    do {
      let connection = try await BusConnection.open(bus.address)
      gone = connection
      connection.onDisconnected = { _ in Issue.record("It was closed by us") }
      connection.close()
      connection.close()
      do {
        _ = try await connection.callBus("GetId")
        Issue.record("It is closed")
      } catch {
        #expect(error.name == .disconnected)
      }
    }
    // Whatever the loop still had to do with it was due before this.
    await EventLoop.shared.time.wait(for: .zero)
    #expect(gone == nil, "nothing keeps it")
  }
}
