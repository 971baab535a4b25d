// The pages of the dashboards, loaded as a chunk of their own.
export { DashboardPage } from "./DashboardPage";
export { DashboardsPage } from "./DashboardsPage";
