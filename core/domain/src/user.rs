//! People and what they may do.

use serde::{Deserialize, Serialize};

/// Which side of the MSP a person is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    /// Works for the MSP.
    Internal,
    /// A customer of the MSP who uses the client portal.
    Client,
}

impl UserType {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Client => "client",
        }
    }

    /// Reads the stored name; anything unknown is the side with fewer rights.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "internal" {
            Self::Internal
        } else {
            Self::Client
        }
    }
}

/// What an internal user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May read and update system settings, and everybody's schedule.
    Admin,
    /// May work on the schedule and on their own profile.
    Technician,
}

impl Role {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Technician => "technician",
        }
    }

    /// Reads the stored name; anything unknown is the role with fewer rights.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "admin" {
            Self::Admin
        } else {
            Self::Technician
        }
    }
}

/// A permission a surface may ask for (PRD, "Security / Permissions").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// `system_settings:read`
    SettingsRead,
    /// `system_settings:update`
    SettingsUpdate,
    /// `user_schedule:read`: one's own entries, and creating for oneself.
    ScheduleOwn,
    /// `user_schedule:update`: everybody's entries.
    ScheduleAll,
    /// One's own profile and calendar connections.
    OwnProfile,
}

/// Whether a person of that type and role holds the permission. Client-portal users hold none.
#[must_use]
pub fn allows(user_type: UserType, role: Role, permission: Permission) -> bool {
    match (user_type, role, permission) {
        (UserType::Client, _, _) => false,
        (UserType::Internal, Role::Admin, _) => true,
        (
            UserType::Internal,
            Role::Technician,
            Permission::ScheduleOwn | Permission::OwnProfile,
        ) => true,
        (UserType::Internal, Role::Technician, _) => false,
    }
}

/// Emails are compared trimmed and in lower case; they address people and never identify them across directories.
#[must_use]
pub fn normalise_email(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_portal_users_hold_no_permission() {
        for permission in [
            Permission::SettingsRead,
            Permission::SettingsUpdate,
            Permission::ScheduleOwn,
            Permission::ScheduleAll,
            Permission::OwnProfile,
        ] {
            assert!(!allows(UserType::Client, Role::Admin, permission));
        }
        assert!(!allows(
            UserType::Internal,
            Role::Technician,
            Permission::SettingsUpdate
        ));
        assert!(allows(
            UserType::Internal,
            Role::Technician,
            Permission::OwnProfile
        ));
    }
}
