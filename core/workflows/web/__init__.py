"""Shows, applies and removes the settings of web servers, and adapts them to the deployed certificate."""
