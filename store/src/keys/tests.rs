use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{ProjectName, StorageConfig};

fn pair(text: &str) -> KeyPair {
    KeyPair::parse(text).unwrap()
}

fn grants(project: &str, right: Right) -> Vec<Grant> {
    vec![Grant { project: Scope::parse(project).unwrap(), rights: [right].into() }]
}

#[tokio::test]
async fn keys_survive_a_restart_with_their_secrets_sealed() {
    let data = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    assert!(!storage.has_keys());
    let admin = storage.create_key(pair("admin:rather-secret-1"), vec![Grant::administrator()]).await.unwrap();
    let reader = storage.create_key(pair("reader:rather-secret-2"), grants("shop", Right::Read)).await.unwrap();
    let change = KeyChange { is_disabled: Some(true), ..KeyChange::default() };
    let reader = {
        assert!(!reader.is_disabled);
        storage.change_key(&reader.id, change).await.unwrap()
    };
    storage.shutdown().await.unwrap();
    for file in std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(13).any(|window| window == b"rather-secret"), "{} holds a secret", file.display());
    }
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    assert_eq!(storage.keys(), [admin, reader]);
    assert_eq!(storage.key("admin").unwrap().secret.reveal(), "rather-secret-1");
    assert!(!storage.key("reader").unwrap().allows(&ProjectName::parse("shop").unwrap(), Right::Read));
    storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn somebody_can_always_make_the_next_key() {
    let data = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    let refused = |error: StoreError, part: &str| assert!(error.to_string().contains(part), "{error}");
    refused(storage.create_key(pair("a:x"), grants("shop", Right::Admin)).await.unwrap_err(), "the first access key");
    assert!(!storage.has_keys());
    let a = storage.create_key(pair("a:x"), vec![Grant::administrator()]).await.unwrap();
    refused(storage.create_key(pair("a:y"), Vec::new()).await.unwrap_err(), "there is an access key \"a\" already");
    let b = storage.create_key(pair("b:x"), grants("shop", Right::Write)).await.unwrap();
    refused(storage.delete_key(&a.id).await.unwrap_err(), "last that administers all projects");
    for change in [
        KeyChange { is_disabled: Some(true), ..KeyChange::default() },
        KeyChange { grants: Some(grants("*", Right::Read)), ..KeyChange::default() },
    ] {
        refused(storage.change_key(&a.id, change).await.unwrap_err(), "last that administers all projects");
    }
    storage
        .change_key(&b.id, KeyChange { grants: Some(vec![Grant::administrator()]), is_disabled: None })
        .await
        .unwrap();
    storage.delete_key(&a.id).await.unwrap();
    refused(storage.delete_key(&a.id).await.unwrap_err(), "there is no access key \"a\"");
    storage.delete_key(&b.id).await.unwrap();
    assert!(!storage.has_keys() && storage.keys().is_empty());
    storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_administrator_of_the_environment_is_there() {
    let data = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    let made = storage.ensure_administrator(pair("root:one")).await.unwrap();
    assert_eq!(storage.ensure_administrator(pair("root:one")).await.unwrap(), made);
    let changed = storage.ensure_administrator(pair("root:two")).await.unwrap();
    assert_eq!((changed.secret.reveal(), changed.created), ("two", made.created));
    storage.create_key(pair("other:x"), vec![Grant::administrator()]).await.unwrap();
    let mut lowered = grants("shop", Right::Read);
    lowered.extend(grants("*", Right::Write));
    let change = KeyChange { grants: Some(lowered), is_disabled: Some(true) };
    storage.change_key(&changed.id, change).await.unwrap();
    let raised = storage.ensure_administrator(pair("root:two")).await.unwrap();
    assert!(raised.administers_all());
    assert_eq!(raised.grants, [grants("shop", Right::Read), vec![Grant::administrator()]].concat());
    storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_project_of_the_same_name_is_not_open_to_the_old_keys() {
    let data = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    let shop = ProjectName::parse("shop").unwrap();
    storage.create_project(&shop, String::new(), String::new()).await.unwrap();
    storage.create_key(pair("root:x"), vec![Grant::administrator()]).await.unwrap();
    let both = [grants("shop", Right::Read), grants("audit", Right::Read)].concat();
    storage.create_key(pair("reader:x"), both).await.unwrap();
    storage.delete_project(&shop).await.unwrap();
    storage.create_project(&shop, String::new(), String::new()).await.unwrap();
    assert_eq!(storage.key("reader").unwrap().grants, grants("audit", Right::Read));
    assert!(storage.key("root").unwrap().allows(&shop, Right::Read));
    storage.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_folder_whose_key_file_is_wrong_is_not_opened() {
    let data = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageConfig::new(data.path())).await.unwrap();
    storage.ensure_administrator(pair("root:one")).await.unwrap();
    storage.shutdown().await.unwrap();
    let file = data.path().join("keys.key");
    let whole = std::fs::read(&file).unwrap();
    let opened = || async { Storage::open(StorageConfig::new(data.path())).await.err().unwrap().to_string() };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(opened().await.contains("its mode is 644"));
    std::fs::remove_file(&file).unwrap();
    assert!(opened().await.contains("it is missing"));
    for (bytes, why) in [(vec![1; 32], "cannot be unsealed"), (vec![1; 31], "it has 31 bytes")] {
        std::fs::write(&file, bytes).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(opened().await.contains(why), "{}", opened().await);
    }
    std::fs::write(&file, whole).unwrap();
    Storage::open(StorageConfig::new(data.path())).await.unwrap().shutdown().await.unwrap();
}

#[test]
fn hexadecimal_texts_go_both_ways() {
    assert_eq!(hex(&[0, 0x0f, 0xa5, 0xff]), "000fa5ff");
    assert_eq!(unhex("000fA5ff"), Some(vec![0, 0x0f, 0xa5, 0xff]));
    for text in ["0", "0g", "é"] {
        assert_eq!(unhex(text), None, "{text}");
    }
}
