#include "plugins/policy_engine/type_rows.h"

namespace gatehouse::policy_engine {

Result<void> ReadPartnerTypes(SqliteDatabase& database,
                              google::protobuf::RepeatedPtrField<proto::PartnerType>& types) {
  GATEHOUSE_TRY(SqliteStatement select,
                database.Prepare("SELECT name, may_subscribe, auto_approve, may_message_unlisted,"
                                 " sees_note, sees_rich_activity, description FROM partner_type"
                                 " ORDER BY name"));
  while (true) {
    GATEHOUSE_TRY(const bool row, select.Step());
    if (!row) return {};
    proto::PartnerType& type = *types.Add();
    type.set_name(select.Text(0));
    type.set_may_subscribe(select.Integer(1) != 0);
    type.set_auto_approve(select.Integer(2) != 0);
    type.set_may_message_unlisted(select.Integer(3) != 0);
    type.set_sees_note(select.Integer(4) != 0);
    type.set_sees_rich_activity(select.Integer(5) != 0);
    type.set_description(select.Text(6));
  }
}

Result<void> InsertPartnerType(SqliteDatabase& database, const proto::PartnerType& type) {
  GATEHOUSE_TRY(SqliteStatement insert,
                database.Prepare("INSERT INTO partner_type (name, may_subscribe, auto_approve,"
                                 " may_message_unlisted, sees_note, sees_rich_activity,"
                                 " description) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(1, type.name()).Bind(2, std::int64_t{type.may_subscribe()});
  insert.Bind(3, std::int64_t{type.auto_approve()});
  insert.Bind(4, std::int64_t{type.may_message_unlisted()});
  insert.Bind(5, std::int64_t{type.sees_note()});
  insert.Bind(6, std::int64_t{type.sees_rich_activity()});
  return insert.Bind(7, type.description()).Run();
}

Result<void> DeletePartnerType(SqliteDatabase& database, const std::string& name) {
  GATEHOUSE_TRY(SqliteStatement remove,
                database.Prepare("DELETE FROM partner_type WHERE name = ?"));
  return remove.Bind(1, name).Run();
}

}  // namespace gatehouse::policy_engine
