#include "plugins/policy_engine/certificate_table.h"

#include "core/tls/crypto.h"

namespace gatehouse::policy_engine {
namespace {

// Octets as text: a column of text holds no NUL.
std::string Unpacked(const std::string& text) {
  std::string bytes;
  return DecodeBase64(text, bytes) ? bytes : std::string();
}

Result<void> ReadSlots(SqliteDatabase& database, CertificateContent& content) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT slot, name FROM certificate_slot"));
  for (;;) {
    GATEHOUSE_TRY(const bool found, select.Step());
    if (!found) return {};
    for (const Slot slot : {Slot::kXmpp, Slot::kSip})
      if (select.Text(0) == SlotWord(slot)) content.slots[slot] = select.Text(1);
  }
}

}  // namespace

std::string_view SlotWord(Slot slot) {
  return slot == Slot::kXmpp ? "xmpp" : "sip";
}

Result<CertificateContent> ReadCertificates(SqliteDatabase& database) {
  GATEHOUSE_TRY(
      SqliteStatement select,
      database.Prepare("SELECT name, friendly_name, source, exportable, chain, sealed_key,"
                       " request, pending_key, pending_exportable, created_unix"
                       " FROM certificate ORDER BY name"));
  CertificateContent content;
  for (;;) {
    GATEHOUSE_TRY(const bool found, select.Step());
    if (!found) break;
    CertificateRow& row = content.rows.emplace_back();
    row.name = select.Text(0);
    row.friendly_name = select.Text(1);
    row.source = select.Text(2);
    row.exportable = select.Integer(3) != 0;
    row.chain = select.Text(4);
    row.sealed_key = Unpacked(select.Text(5));
    row.request = select.Text(6);
    row.pending_key = Unpacked(select.Text(7));
    row.pending_exportable = select.Integer(8) != 0;
    row.created_unix = select.Integer(9);
  }
  GATEHOUSE_TRY_VOID(ReadSlots(database, content));
  return content;
}

Result<void> PutCertificate(SqliteDatabase& database, const CertificateRow& row) {
  GATEHOUSE_TRY(
      SqliteStatement put,
      database.Prepare(
          "INSERT INTO certificate (name, friendly_name, source, exportable, chain, sealed_key,"
          " request, pending_key, pending_exportable, created_unix)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
          " friendly_name = excluded.friendly_name, source = excluded.source,"
          " exportable = excluded.exportable, chain = excluded.chain,"
          " sealed_key = excluded.sealed_key, request = excluded.request,"
          " pending_key = excluded.pending_key, pending_exportable = excluded.pending_exportable,"
          " created_unix = excluded.created_unix"));
  put.Bind(1, row.name).Bind(2, row.friendly_name).Bind(3, row.source);
  put.Bind(4, std::int64_t{row.exportable}).Bind(5, row.chain).Bind(6, Base64(row.sealed_key));
  put.Bind(7, row.request).Bind(8, Base64(row.pending_key));
  put.Bind(9, std::int64_t{row.pending_exportable}).Bind(10, row.created_unix);
  return put.Run();
}

Result<void> RemoveCertificate(SqliteDatabase& database, const std::string& name) {
  GATEHOUSE_TRY(SqliteStatement remove, database.Prepare("DELETE FROM certificate WHERE name = ?"));
  return remove.Bind(1, name).Run();
}

Result<void> AssignSlot(SqliteDatabase& database, Slot slot, const std::string& name) {
  GATEHOUSE_TRY(SqliteStatement assign,
                database.Prepare(name.empty() ? "DELETE FROM certificate_slot WHERE slot = ?"
                                              : "INSERT INTO certificate_slot (slot, name)"
                                                " VALUES (?, ?) ON CONFLICT DO UPDATE SET"
                                                " name = excluded.name"));
  assign.Bind(1, SlotWord(slot));
  if (!name.empty()) assign.Bind(2, name);
  return assign.Run();
}

}  // namespace gatehouse::policy_engine
