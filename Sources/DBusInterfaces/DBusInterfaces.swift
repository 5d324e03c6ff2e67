// SPDX-License-Identifier: Apache-2.0

// Everything in this module is generated from dbus-interfaces/*.xml by DBusCodegenPlugin: for each interface the
// protocol to implement, its skeleton and emitter for the serving side, and its proxy for the calling side.
