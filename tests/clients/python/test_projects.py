"""Projects: created, described, listed, deleted."""

import json
import time
import unittest

from world import Case, unique


class Projects(Case):
    def test_a_project_from_its_beginning_to_its_end(self):
        name = unique('whole')
        before = int(time.time())
        self.client.create_project(name, 'first words', resource_group_id='rg-1')
        self.refused(400, 'ProjectAlreadyExist', self.client.create_project, name, 'again')
        project = self.client.get_project(name)
        self.assertEqual((project.get_projectname(), project.get_description(), project.get_status()),
                         (name, 'first words', 'Normal'))
        self.assertTrue(project.get_region())
        body = project.get_body()
        self.assertEqual(body['resourceGroupId'], 'rg-1')
        self.assertIsInstance(body['owner'], str)
        self.assertGreaterEqual(seconds(body['createTime']), before - 1)
        self.client.update_project(name, 'other words, with ünïcode 数据')
        self.assertEqual(self.client.get_project(name).get_description(), 'other words, with ünïcode 数据')
        self.client.create_logstore(name, 'inside', shard_count=1)
        self.client.delete_project(name)
        self.refused(404, 'ProjectNotExist', self.client.get_project, name)
        self.refused(404, 'ProjectNotExist', self.client.get_logstore, name, 'inside')
        self.refused(404, 'ProjectNotExist', self.client.update_project, name, 'nobody hears')
        self.refused(404, 'ProjectNotExist', self.client.delete_project, name)

    def test_projects_are_listed_by_pages_and_by_name(self):
        stem = unique('listed')
        names = [f'{stem}-{i}' for i in range(5)]
        for name in names:
            self.client.create_project(name, f'about {name}')
        everything = self.client.list_project(size=-1)
        self.assertLessEqual(set(names), {project['projectName'] for project in everything.get_projects()})
        found = self.client.list_project(project_name_pattern=stem)
        self.assertEqual((found.get_count(), found.get_total()), (5, 5))
        self.assertEqual({project['description'] for project in found.get_projects()},
                         {f'about {name}' for name in names})
        pages = [self.client.list_project(offset=offset, size=2, project_name_pattern=stem) for offset in (0, 2, 4, 6)]
        self.assertEqual([page.get_count() for page in pages], [2, 2, 1, 0])
        self.assertEqual({page.get_total() for page in pages}, {5})
        self.assertEqual(sorted(project['projectName'] for page in pages for project in page.get_projects()), names)
        for name in names:
            self.client.delete_project(name)
        self.assertEqual(self.client.list_project(project_name_pattern=stem).get_total(), 0)

    def test_names_that_no_project_has(self):
        for name in ['-begins', 'with space', 'x' * 129, 'ünïcode', 'a/b']:
            with self.subTest(name):
                body = json.dumps({'projectName': name, 'description': ''}).encode()
                # Without the project in the Host, where most of these could not stand.
                self.refused(400, 'ParameterInvalid', self.client._send, 'POST', None, body, '/', {},
                             {'Content-Type': 'application/json'})


def seconds(told):
    """Servers of the service have told a time in seconds and in words."""
    if str(told).isdigit():
        return int(told)
    return time.mktime(time.strptime(told, '%Y-%m-%d %H:%M:%S')) - time.timezone


if __name__ == '__main__':
    unittest.main()
