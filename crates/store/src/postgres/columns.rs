//! PostgreSQL's types at the border of the shared codecs.

use crate::{StoreError, codec::Columns};
use bytes::BytesMut;
use std::{borrow::Cow, error::Error};
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

/// Sixteen bytes as UUID, which is compared and stored more cheaply than BYTEA.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sixteen(pub [u8; 16]);

/// A whole number of any width.
struct Number(i64);

/// The bytes of a BYTEA or UUID.
struct Raw<'a>(&'a [u8]);

impl Columns for Row {
    fn number(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get::<_, Option<Number>>(column).map_err(unreadable)?.map(|Number(number)| number))
    }

    fn flag(&self, column: usize) -> Result<bool, StoreError> {
        self.try_get(column).map_err(unreadable)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.try_get(column).map_err(unreadable)
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.try_get::<_, Option<Raw<'_>>>(column).map_err(unreadable)?.map(|Raw(bytes)| bytes))
    }
}

/// A number that the query never leaves out.
pub(super) fn number(row: &Row, column: usize) -> Result<i64, StoreError> {
    row.number(column)?.ok_or_else(|| StoreError::Data(format!("column {column} of a query is null")))
}

/// PostgreSQL's text has no NUL; in texts that people only read, the replacement character stands for it.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn unreadable(error: tokio_postgres::Error) -> StoreError {
    StoreError::Data(format!("a column of the database cannot be read: {error}"))
}

type Fault = Box<dyn Error + Sync + Send>;

impl ToSql for Sixteen {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }

    to_sql_checked!();
}

impl FromSql<'_> for Number {
    fn from_sql(kind: &Type, raw: &[u8]) -> Result<Self, Fault> {
        Ok(Self(match *kind {
            Type::INT2 => i64::from(i16::from_sql(kind, raw)?),
            Type::INT4 => i64::from(i32::from_sql(kind, raw)?),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::INT8].contains(kind)
    }
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(raw))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::BYTEA, Type::UUID].contains(kind)
    }
}
