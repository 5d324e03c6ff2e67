// SPDX-License-Identifier: Apache-2.0
// A service as one writes it by libdbus's manual, with nothing in it but the answer.
#include "BenchBaseline.h"

#include <dbus/dbus.h>
#include <string.h>

struct property {
  const char *interface;
  const char *name;
  const char *value;
};

static DBusMessage *answer(DBusMessage *call, const struct property *property) {
  const char *interface, *name;
  if (!dbus_message_get_args(
          call, NULL, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
    return dbus_message_new_error(call, DBUS_ERROR_INVALID_ARGS, "Get takes two strings");
  if (strcmp(interface, property->interface) != 0 || strcmp(name, property->name) != 0)
    return dbus_message_new_error(call, DBUS_ERROR_UNKNOWN_PROPERTY, "There is no such property");
  DBusMessage *reply = dbus_message_new_method_return(call);
  DBusMessageIter arguments, variant;
  if (!reply) return NULL;
  dbus_message_iter_init_append(reply, &arguments);
  if (dbus_message_iter_open_container(&arguments, DBUS_TYPE_VARIANT, "s", &variant) &&
      dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &property->value) &&
      dbus_message_iter_close_container(&arguments, &variant))
    return reply;
  dbus_message_unref(reply);
  return NULL;
}

static DBusHandlerResult received(DBusConnection *connection, DBusMessage *call, void *data) {
  if (!dbus_message_is_method_call(call, DBUS_INTERFACE_PROPERTIES, "Get")) return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
  DBusMessage *reply = answer(call, data);
  if (!reply) return DBUS_HANDLER_RESULT_NEED_MEMORY;
  dbus_bool_t sent = dbus_connection_send(connection, reply, NULL);
  dbus_message_unref(reply);
  return sent ? DBUS_HANDLER_RESULT_HANDLED : DBUS_HANDLER_RESULT_NEED_MEMORY;
}

int baseline_serve_property(
    const char *address, const char *name, const char *path, const char *interface, const char *property,
    const char *value) {
  struct property served = {interface, property, value};
  DBusObjectPathVTable functions = {.message_function = received};
  DBusConnection *connection = dbus_connection_open_private(address, NULL);
  if (!connection) return 1;
  dbus_connection_set_exit_on_disconnect(connection, FALSE);
  if (!dbus_bus_register(connection, NULL) ||
      !dbus_connection_register_object_path(connection, path, &functions, &served) ||
      dbus_bus_request_name(connection, name, DBUS_NAME_FLAG_DO_NOT_QUEUE, NULL) !=
          DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
    return 1;
  while (dbus_connection_read_write_dispatch(connection, -1)) {
  }
  dbus_connection_unref(connection);
  return 0;
}
